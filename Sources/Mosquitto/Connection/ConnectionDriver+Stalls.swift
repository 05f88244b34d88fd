/// Detecting stalls.
extension ConnectionDriver {
    /// The topic filter of the probe; no client subscribes to it. UNSUBSCRIBE serves as the probe, since every broker
    /// answers it in order and libmosquitto reports the answer. It has no call for PINGREQ and does not report PINGRESP
    /// (2.0.11, handle_ping.c).
    private static let probeFilter = "$mqtt-bridge/probe"

    /// Checks for stalls at intervals. Returns the error if the connection or the attempt must end.
    func lookForStalls(_ handle: LibraryHandle?, at now: ContinuousClock.Instant) -> ClientError? {
        guard now >= nextStallLook else { return nil }
        nextStallLook = now + stalls.interval
        switch stalls.look(at: now, bytesInFlight: window.bytes) {
        case .probe?:
            stallProbe = try? handle?.unsubscribe([Self.probeFilter])
            return nil
        case .report(let hop, let age)?:
            notice(.stalled(Stall(hop: hop, age: age, waiting: storage.waiting)))
            return nil
        case .cut(let hop, let age)?:
            return ClientError(
                .stalled,
                operation: "stay connected to \(machine.broker)",
                detail: "\(Stall(hop: hop, age: age, waiting: storage.waiting))",
                advice: "A new connection may help; if not, look at the broker's load and the network"
            )
        case nil:
            return nil
        }
    }

    func answered(_ hop: Stall.Hop, owesMore: Bool = false, at now: ContinuousClock.Instant) {
        guard let missing = stalls.answered(hop, owesMore: owesMore, at: now) else { return }
        notice(.recovered(hop, after: missing))
    }

    /// Completes a step of a connection attempt, and begins the next.
    func answered(_ hop: Stall.Hop, nowOwes next: Stall.Hop) {
        let now = clock.now
        answered(hop, at: now)
        stalls.owes(next, at: now)
    }

    /// The broker accepted the connection: steps that stalled on an earlier one have recovered.
    func connectionRecovered() {
        let now = clock.now
        for hop in Stall.Hop.allCases where hop.endsWithConnection { answered(hop, at: now) }
        stalls.heard(at: now)
    }

    /// Updates the owed answers after this turn's reads and writes.
    func noteProgress(_ handle: LibraryHandle, _ ready: Poller.Readiness, at now: ContinuousClock.Instant) {
        if ready.readable {
            stalls.heard(at: now)
            answered(.pingresp, at: now)
        }
        if !handle.wantsWrite {
            answered(.write, at: now)
        } else if ready.writable {
            answered(.write, owesMore: true, at: now)
        } else {
            stalls.owes(.write, at: now)
        }
        if window.awaitsAcknowledgements { stalls.owes(.puback, at: now) }
        if subscriptions.awaitsSuback { stalls.owes(.suback, at: now) }
        if subscriptions.awaitsUnsuback { stalls.owes(.unsuback, at: now) }
    }

    func forgetStalls() {
        stalls.connectionEnded()
        stallProbe = nil
    }
}

extension Stall.Hop {
    /// Whether a new connection counts as recovery.
    fileprivate var endsWithConnection: Bool {
        switch self {
        case .nameLookup, .connect, .connack, .write, .pingresp: true
        case .suback, .unsuback, .puback: false
        }
    }
}
