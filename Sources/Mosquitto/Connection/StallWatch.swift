/// Watches the answers that peers owe the client: reports an overdue one, and decides when to reconnect. Pure.
///
/// A slow connection is no stall. Each answer restarts the time of its kind, and while bytes arrive, the missing answer
/// may be among the bytes in transit. Then a probe decides: a request that every broker answers, and reads after the
/// earlier requests. If the answer to the probe comes first, the broker has left out the other one.
struct StallWatch: Sendable {
    typealias Instant = ContinuousClock.Instant

    /// The action after a look.
    enum Action: Sendable, Hashable {
        /// Send a request, and pass its answer to ``probeAnswered()``.
        case probe
        /// Report the overdue answer.
        case report(Stall.Hop, age: Duration)
        /// End the connection, or the attempt: the answer has been owed for ``StallWatch/timeout``.
        case cut(Stall.Hop, age: Duration)
    }

    /// The lowest throughput that counts as progress, in bytes per second.
    static let slowestLine = 10_000

    /// The age at which a missing answer ends the connection; zero for never.
    let timeout: Duration
    /// The age at which a missing answer is reported: within 5 s, with a look each second.
    let reportAge: Duration
    /// The age at which a probe asks for a missing answer.
    let probeAge: Duration
    /// The time between looks.
    let interval: Duration
    /// For each kind, since when an answer is owed; each answer of that kind restarts the time.
    private var since: [Instant?]
    /// When bytes last arrived.
    private var heard: Instant?
    private var probe: (sent: Instant, isAnswered: Bool)?
    /// The reported answer that has not come yet, and since when it is owed.
    private(set) var reported: (hop: Stall.Hop, since: Instant)?

    init(timeout: Duration) {
        self.timeout = timeout
        reportAge = timeout > .zero ? min(.milliseconds(3_500), timeout / 2) : .milliseconds(3_500)
        probeAge = reportAge / 2
        interval = min(.seconds(1), probeAge / 2)
        since = Array(repeating: nil, count: Stall.Hop.allCases.count)
    }

    var isOwedAnything: Bool { since.contains { $0 != nil } }

    /// An answer is owed; a repeated call does not restart the time.
    mutating func owes(_ hop: Stall.Hop, at now: Instant) {
        if since[hop.rawValue] == nil { since[hop.rawValue] = now }
    }

    /// An answer came. Returns how long it was missing, if it was reported.
    ///
    /// - Parameter owesMore: Whether more answers of that kind are owed.
    mutating func answered(_ hop: Stall.Hop, owesMore: Bool = false, at now: Instant) -> Duration? {
        since[hop.rawValue] = owesMore ? now : nil
        guard let reported, reported.hop == hop else { return nil }
        self.reported = nil
        return reported.since.duration(to: now)
    }

    mutating func heard(at now: Instant) { heard = now }

    mutating func probeAnswered() { probe?.isAnswered = true }

    /// The client does not read during a hold, and sees no answers: restarts all times.
    mutating func held(at now: Instant) {
        for hop in since.indices where since[hop] != nil { since[hop] = now }
        probe = nil
    }

    /// The connection or the attempt has ended, and with it all debts. A report stays until its answer comes.
    mutating func connectionEnded() {
        for hop in since.indices { since[hop] = nil }
        probe = nil
        heard = nil
    }

    /// Checks the owed answers. Call it each ``interval`` while ``isOwedAnything``.
    ///
    /// - Parameter bytesInFlight: Written and not acknowledged: a slow connection gets extra time for these bytes.
    mutating func look(at now: Instant, bytesInFlight: Int = 0) -> Action? {
        // In causal order: a peer that accepts no bytes cannot answer the requests in them.
        for hop in Stall.Hop.allCases {
            guard let begin = since[hop.rawValue] else { continue }
            let age = begin.duration(to: now)
            guard age >= probeAge else { continue }
            let allowance = hop.isAnswer ? Duration.seconds(bytesInFlight) / Self.slowestLine : .zero
            guard !hop.isAnswer || isMissing(since: begin, allowance, at: now) else {
                if probe.map({ $0.isAnswered && $0.sent < begin }) ?? true {
                    probe = (now, false)
                    return .probe
                }
                continue
            }
            if age >= reportAge + allowance, reported == nil {
                reported = (hop, begin)
                return .report(hop, age: age)
            }
            if timeout > .zero, age >= timeout + allowance { return .cut(hop, age: age) }
        }
        return nil
    }

    /// Whether the answer is missing and not in transit: the broker is silent, or has answered a later request.
    private func isMissing(since begin: Instant, _ allowance: Duration, at now: Instant) -> Bool {
        if let probe, probe.isAnswered, probe.sent >= begin { return true }
        return (heard ?? begin).duration(to: now) >= reportAge + allowance
    }
}

extension Stall.Hop {
    /// Whether the answer is a packet, which arrives after all packets that the broker sent before.
    fileprivate var isAnswer: Bool {
        switch self {
        case .nameLookup, .connect, .connack, .write: false
        case .suback, .unsuback, .puback, .pingresp: true
        }
    }
}
