/// One direction of a proxied connection: what is read and not yet due, and how far the stream has come.
///
/// Pure; the link's thread reads and writes.
struct TCPProxyPipe {
    /// As much as is read ahead of a slow rate, so that the sender feels it.
    private static let capacity = 65_536

    /// Where the bytes that were written stand among MQTT packets.
    var scanner = PacketScanner()
    private(set) var isEnded = false
    /// Whether the end was passed on.
    var isEndSent = false
    private var pieces: [(due: ContinuousClock.Instant, bytes: ArraySlice<UInt8>)] = []
    private var size = 0
    private var lastDue: ContinuousClock.Instant?
    private var nextByte: ContinuousClock.Instant?

    /// Whether there is room. A line with a delay and no rate holds much, as a long one does.
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

    /// When something can be written; nil when there is nothing.
    func nextDue(_ conditions: TCPProxy.Conditions) -> ContinuousClock.Instant? {
        guard let first = pieces.first else { return nil }
        guard conditions.bytesPerSecond != nil, let nextByte else { return first.due }
        return max(first.due, nextByte)
    }

    /// The bytes that may be written now. At a rate, the share of a hundredth of a second.
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
            // From the time that was due, so that late wake-ups do not slow the stream; after a pause, from now.
            let base = max(nextByte ?? now, now - .milliseconds(50))
            nextByte = base + .seconds(Double(count) / Double(max(1, rate)))
        }
    }
}
