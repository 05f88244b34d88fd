/// Decides whether a client reads, holds or parks. Pure: the time is an argument.
struct HoldStateMachine: Sendable {
    typealias Instant = ContinuousClock.Instant

    enum State: Sendable, Hashable {
        /// The client connects and reads.
        case free
        /// The client does not read, and parks at that time.
        case held(until: Instant)
        /// The client has no connection and opens none.
        case parked(ParkReason)
    }

    private var state = State.free
    /// The number of calls of ``resumed()``: identifies an outdated refusal.
    private(set) var resumptions: UInt64 = 0

    /// Begins a hold. A repeated call does not extend the deadline.
    mutating func held(until deadline: Instant) {
        if state == .free { state = .held(until: deadline) }
    }

    mutating func resumed() {
        resumptions += 1
        state = .free
    }

    /// The delegate refused messages. `resumptions` is the count at the time of the hand-over: a later ``resumed()``
    /// overrides the refusal.
    mutating func refused(resumptions: UInt64) {
        if resumptions == self.resumptions { state = .parked(.refused) }
    }

    /// The state at a time.
    mutating func state(at now: Instant) -> State {
        if case .held(let deadline) = state, now >= deadline { state = .parked(.held) }
        return state
    }
}

extension HoldStateMachine.State {
    /// Why the client must close its connection.
    var parkReason: ParkReason? {
        if case .parked(let reason) = self { reason } else { nil }
    }

    /// Why the client must not connect. A hold before its deadline counts too: there is no connection to keep open.
    var reasonNotToConnect: ParkReason? {
        self == .free ? nil : parkReason ?? .held
    }

    /// When a hold turns into a park.
    var deadline: HoldStateMachine.Instant? {
        if case .held(let deadline) = self { deadline } else { nil }
    }
}
