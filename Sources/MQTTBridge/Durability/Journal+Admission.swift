import MessageStore

/// What a turn takes in and lets go, by the limits.
extension Journal {
    /// Makes room for what was read, or drops it, by the policies; counts what is kept.
    func admit(_ intake: inout Intake, _ changes: inout PendingChanges) {
        guard !intake.arrivals.isEmpty || !intake.departures.isEmpty else { return }
        let (arrivals, departures) = (intake.arrivals, intake.departures)
        let (lateArrivals, lateDepartures) = work.withGauge { gauge -> ([Int], [Int]) in
            var late: (arrivals: [Int], departures: [Int]) = ([], [])
            // Mostly there is room for all of it.
            if !gauge.takes(.inbound, arrivals.runs) {
                let loads = arrivals.records.lazy.map { (route: $0.route, size: $0.size) }
                late.arrivals = gauge.refusals(.inbound, loads, &changes.crowds)
            }
            if !gauge.takes(.outbound, [StoreGauge.Run](departures)) {
                let loads = departures.lazy.map { (route: $0.record.route, size: $0.record.size) }
                late.departures = gauge.refusals(.outbound, loads, &changes.crowds)
            }
            return late
        }
        for place in lateArrivals {
            let record = intake.arrivals.records[place]
            countDropped(record.topic, record.broker)
        }
        intake.arrivals.remove(at: lateArrivals)
        for place in lateDepartures.reversed() {
            let record = intake.departures.remove(at: place).record
            countDropped(record.topic, record.broker)
        }
    }

    private func countDropped(_ topic: String, _ broker: String) {
        context.reporter.count(.dropped, broker: broker, topic: topic, reason: "the store is full")
    }

    func release(_ intake: Intake) {
        work.withGauge { gauge in
            gauge.remove(.inbound, intake.arrivals.runs)
            gauge.remove(.outbound, [StoreGauge.Run](intake.departures))
        }
    }

    /// Counts what has left the store.
    func settle(_ core: Core, _ changes: PendingChanges, _ removals: [StoreRemoval]) {
        defer { work.admitWaiters() }
        guard !changes.finished.isEmpty || !changes.published.isEmpty || !removals.isEmpty else { return }
        work.withGauge { gauge in
            gauge.remove(.inbound, [StoreGauge.Run](changes.finished))
            gauge.remove(.outbound, [StoreGauge.Run](changes.published))
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
