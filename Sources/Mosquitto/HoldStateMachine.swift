/// Decides whether a client reads, holds or parks. Pure: the time comes in as an argument.
struct HoldStateMachine: Sendable {
    typealias Instant = ContinuousClock.Instant

    enum State: Sendable, Hashable {
        /// Nothing is held: the client connects and reads.
        case free
        /// Nothing is read; the client parks at that time.
        case held(until: Instant)
        /// The client has no connection and makes none.
        case parked(ParkReason)
    }

    private var state = State.free
    /// How often the client was asked to go on: tells a refusal that is out of date.
    private(set) var resumptions: UInt64 = 0

    /// Nothing more is to be read. One more of it changes nothing: the time goes on from the first.
    mutating func held(until deadline: Instant) {
        if state == .free { state = .held(until: deadline) }
    }

    mutating func resumed() {
        resumptions += 1
        state = .free
    }

    /// Messages were refused. `resumptions` is what there were of these when the messages were handed over: whoever
    /// asked to go on since then knew what he did, perhaps while the refusal was on its way.
    mutating func refused(resumptions: UInt64) {
        if resumptions == self.resumptions { state = .parked(.refused) }
    }

    /// What holds now.
    mutating func state(at now: Instant) -> State {
        if case .held(let deadline) = state, now >= deadline { state = .parked(.held) }
        return state
    }
}

extension HoldStateMachine.State {
    /// Why a connection that is there is to be given up.
    var parkReason: ParkReason? {
        if case .parked(let reason) = self { reason } else { nil }
    }

    /// Why no connection is to be begun. A hold that is still short counts: there is nothing to keep open by it.
    var reasonNotToConnect: ParkReason? {
        self == .free ? nil : parkReason ?? .held
    }

    /// When a hold becomes a park.
    var deadline: HoldStateMachine.Instant? {
        if case .held(let deadline) = self { deadline } else { nil }
    }
}
