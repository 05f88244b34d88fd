/// What a turn waits for, and its timeout.
extension ConnectionDriver {
    /// Whether the client reads: not during a hold, except for a connection attempt.
    func isReading(_ hold: HoldStateMachine.State) -> Bool {
        guard case .live = phase else { return true }
        return hold == .free
    }

    var currentHandle: LibraryHandle? {
        switch phase {
        case .handshaking(let handle, _), .live(let handle): handle
        default: nil
        }
    }

    func needsWriting(_ handle: LibraryHandle) -> Bool {
        if case .handshaking = phase, !isSocketConnected { return true }
        return handle.wantsWrite
    }

    func timeout(_ wishes: ClientStorage.Wishes, at now: ContinuousClock.Instant) -> Duration {
        // An earlier turn may have consumed the wake-up of the shutdown.
        if wishes.isStopping, isWithoutConnection { return .zero }
        switch phase {
        case .opening(let deadline), .handshaking(_, let deadline):
            return now.duration(to: min(deadline, nextStallLook))
        case .pausing(let deadline):
            return now.duration(to: min(deadline, wishes.hold.deadline ?? deadline))
        case .live(let handle):
            // TLS may deliver messages in one record with CONNACK.
            if handle.callbacks.messageCount > 0 { return .zero }
            var deadline = stalls.isOwedAnything ? min(nextKeepAlive, nextStallLook) : nextKeepAlive
            if let qos = wishes.nextQoS, let publishing = mayPublish(qos) {
                guard publishing > now else { return .zero }
                deadline = min(deadline, publishing)
            }
            if let probe { deadline = min(deadline, probe.until) }
            if let drainDeadline { deadline = min(deadline, drainDeadline) }
            if let end = wishes.hold.deadline { deadline = min(deadline, end) }
            return now.duration(to: deadline)
        case .parked:
            return wishes.hold == .free ? .zero : .seconds(60)
        case .parking, .ended:
            return .zero
        }
    }

    /// Whether there is neither a connection nor an attempt.
    private var isWithoutConnection: Bool {
        switch phase {
        case .pausing, .parking, .parked: true
        case .opening, .handshaking, .live, .ended: false
        }
    }
}
