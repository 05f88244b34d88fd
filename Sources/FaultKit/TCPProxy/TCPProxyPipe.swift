/// One direction of a proxied connection: bytes read but not yet due, and the position in the stream.
///
/// Pure; the link's thread reads and writes.
struct TCPProxyPipe {
    /// The bytes read ahead of a slow rate: few, so that the sender notices the rate.
    private static let capacity = 65_536

    /// The position of the written bytes among MQTT packets.
    var scanner = PacketScanner()
    private(set) var isEnded = false
    /// Whether the end was forwarded.
    var isEndSent = false
    private var pieces: [(due: ContinuousClock.Instant, bytes: ArraySlice<UInt8>)] = []
    private var size = 0
    private var lastDue: ContinuousClock.Instant?
    private var nextByte: ContinuousClock.Instant?

    /// Whether there is room. With a delay and no rate there is 64 times as much, as on a long line.
    func wantsBytes(_ conditions: TCPProxy.Conditions) -> Bool {
        let isLongLine = conditions.delay > .zero && conditions.bytesPerSecond == nil
        return !isEnded && size < (isLongLine ? 64 : 1) * Self.capacity
    }

    var isDrained: Bool { isEnded && pieces.isEmpty }

    mutating func ended() { isEnded = true }

    mutating func received(_ bytes: [UInt8], at now: ContinuousClock.Instant, _ conditions: TCPProxy.Conditions) {
        var due = now + conditions.delay
        if conditions.jitter > .zero { due += conditions.jitter * Double.random(in: -1...1) }
        due = max(due, lastDue ?? due)
        lastDue = due
        pieces.append((due, bytes[...]))
        size += bytes.count
    }

    /// The time at which the next bytes can be written; nil if there are none.
    func nextDue(_ conditions: TCPProxy.Conditions) -> ContinuousClock.Instant? {
        guard let first = pieces.first else { return nil }
        guard conditions.bytesPerSecond != nil, let nextByte else { return first.due }
        return max(first.due, nextByte)
    }

    /// The bytes that may be written now; with a rate, at most the share of 10 ms.
    func due(at now: ContinuousClock.Instant, _ conditions: TCPProxy.Conditions) -> ArraySlice<UInt8> {
        guard let first = pieces.first, let due = nextDue(conditions), due <= now else { return [] }
        guard let rate = conditions.bytesPerSecond else { return first.bytes }
        return first.bytes.prefix(max(1, rate / 100))
    }

    mutating func wrote(_ count: Int, at now: ContinuousClock.Instant, _ conditions: TCPProxy.Conditions) {
        guard count > 0, !pieces.isEmpty else { return }
        pieces[0].bytes.removeFirst(count)
        if pieces[0].bytes.isEmpty { pieces.removeFirst() }
        size -= count
        if let rate = conditions.bytesPerSecond {
            // Counts from the due time, so that late wake-ups do not slow the stream, but from at most 50 ms ago.
            let base = max(nextByte ?? now, now - .milliseconds(50))
            nextByte = base + .seconds(Double(count) / Double(max(1, rate)))
        }
    }
}
