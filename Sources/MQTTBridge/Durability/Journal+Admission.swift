import MessageStore

/// What a turn takes in and lets go, by the limits.
extension Journal {
    /// Makes room for what was read, or drops it, by the policies; counts what is kept.
    func admit(_ intake: Intake, _ changes: inout PendingChanges) -> ([Arrival], [Departure]) {
        guard !intake.arrivals.isEmpty || !intake.departures.isEmpty else { return ([], []) }
        var dropped: [(DeadLetter.Direction, route: String, broker: String, topic: String)] = []
        var crowds: Set<StoreGauge.Crowd> = []
        let (arrivals, departures) = work.withGauge { gauge in
            func admits(_ direction: DeadLetter.Direction, _ route: String, _ size: Int) -> Bool {
                switch gauge.verdict(direction, route: route, size: size) {
                case .drop: return false
                case .evict(let crowd): crowds.insert(crowd)
                // It was read already. What comes next is left at the broker.
                case .accept, .wait, .reject: break
                }
                gauge.add(direction, route: route, bytes: size)
                return true
            }
            let arrivals = intake.arrivals.filter { arrival in
                let record = arrival.record
                let isKept = admits(.inbound, record.route, record.size)
                if !isKept { dropped.append((.inbound, record.route, record.broker, record.topic)) }
                return isKept
            }
            let departures = intake.departures.filter { departure in
                let record = departure.record
                let isKept = admits(.outbound, record.route, record.size)
                if !isKept { dropped.append((.outbound, record.route, record.broker, record.topic)) }
                return isKept
            }
            return (arrivals, departures)
        }
        changes.crowds.formUnion(crowds)
        for drop in dropped {
            context.reporter.count(.dropped, broker: drop.broker, topic: drop.topic, reason: "the store is full")
        }
        return (arrivals, departures)
    }

    func release(_ arrivals: [Arrival], _ departures: [Departure]) {
        work.withGauge { gauge in
            for arrival in arrivals {
                gauge.remove(.inbound, route: arrival.record.route, bytes: arrival.record.size)
            }
            for departure in departures {
                gauge.remove(.outbound, route: departure.record.route, bytes: departure.record.size)
            }
        }
    }

    /// Counts what has left the store.
    func settle(_ core: Core, _ changes: PendingChanges, _ removals: [StoreRemoval]) {
        defer { work.admitWaiters() }
        guard !changes.finished.isEmpty || !changes.published.isEmpty || !removals.isEmpty else { return }
        work.withGauge { gauge in
            for done in changes.finished { gauge.remove(.inbound, route: done.route, bytes: done.size) }
            for done in changes.published { gauge.remove(.outbound, route: done.route, bytes: done.size) }
            for removal in removals { gauge.remove(removal.direction, route: removal.route, bytes: removal.size) }
        }
        for removal in removals {
            context.reporter.count(
                .dropped,
                broker: removal.broker,
                topic: removal.topic,
                reason: removal.reason == .full ? "the store is full: the oldest went" : "expired"
            )
        }
        if !removals.isEmpty { deliveries.forget(removals.lazy.filter { $0.direction == .inbound }.map(\.sequence)) }
        for (broker, outflow) in core.outflows {
            if !changes.published.isEmpty { outflow.left(changes.published.map(\.sequence)) }
            let own = removals.filter { $0.direction == .outbound && $0.broker == broker }
            if !own.isEmpty { outflow.evicted(own) }
        }
        if !removals.isEmpty { work.forget(Set(removals.map(\.sequence))) }
    }
}
