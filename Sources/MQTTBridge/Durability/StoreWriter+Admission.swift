import Logging
import MessageStore

/// Applies the store's limits to the changes of a turn.
extension StoreWriter {
    /// Applies the policies to received messages: evicts, discards and counts.
    func admit(_ intake: inout ReceivedChanges, _ changes: inout PendingChanges) {
        guard !intake.arrivals.isEmpty || !intake.departures.isEmpty else { return }
        let (arrivals, departures) = (intake.arrivals, intake.departures)
        let (lateArrivals, lateDepartures) = pending.withGauge { gauge -> ([Int], [Int]) in
            var late: (arrivals: [Int], departures: [Int]) = ([], [])
            // The common case: there is room for all of them.
            if !gauge.takes(.inbound, arrivals.runs) {
                let loads = arrivals.records.lazy.map { (route: $0.route, size: $0.size) }
                late.arrivals = gauge.refusals(.inbound, loads, &changes.evictionScopes)
            }
            if !gauge.takes(.outbound, [StoreGauge.Run](departures)) {
                let loads = departures.lazy.map { (route: $0.record.route, size: $0.record.size) }
                late.departures = gauge.refusals(.outbound, loads, &changes.evictionScopes)
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

    func release(_ intake: ReceivedChanges) {
        pending.withGauge { gauge in
            gauge.remove(.inbound, intake.arrivals.runs)
            gauge.remove(.outbound, [StoreGauge.Run](intake.departures))
        }
    }

    /// Updates the counts, and reports removals, after a commit.
    func settle(_ core: Core, _ changes: PendingChanges, _ removals: [StoreRemoval]) {
        defer { pending.admitWaiters() }
        if !changes.finished.isEmpty || !changes.published.isEmpty {
            pending.withGauge { gauge in
                gauge.remove(.inbound, [StoreGauge.Run](changes.finished))
                gauge.remove(.outbound, [StoreGauge.Run](changes.published))
            }
        }
        if !changes.published.isEmpty {
            for outbound in core.outbound.values { outbound.removed(changes.published.map(\.sequence)) }
        }
        guard !removals.isEmpty else { return }
        countTrimmed(removals)
        let removals = removals.filter { $0.reason != .letter }
        guard !removals.isEmpty else { return }
        for removal in removals {
            context.reporter.count(
                .dropped,
                broker: removal.broker,
                topic: removal.topic,
                reason: removal.reason == .full ? "the store is full: the oldest went" : "expired"
            )
        }
        forget(removals, core)
    }

    /// Keeps dead letters within their limits.
    var deadLetterEviction: StoreEviction {
        .deadLetters(keep: context.options.store.deadLetters, bytes: context.options.store.deadLetterBytes)
    }

    /// Reports dead letters that were evicted for newer ones.
    func countTrimmed(_ removals: [StoreRemoval]) {
        let deadLetters = removals.filter { $0.reason == .letter }
        guard let last = deadLetters.last else { return }
        context.logger.warning(
            "dead letters dropped: there are too many",
            metadata: [LogKey.count: "\(deadLetters.count)", LogKey.deadLetters: "to \(last.sequence)"]
        )
        for deadLetter in deadLetters {
            let reason = "too many dead letters: the oldest went"
            context.reporter.count(.dropped, broker: deadLetter.broker, topic: deadLetter.topic, reason: reason)
        }
    }

    /// Forgets unfinished messages that were removed from the store.
    func forget(_ removals: [StoreRemoval], _ core: Core) {
        pending.withGauge { gauge in
            for removal in removals { gauge.remove(removal.direction, route: removal.route, bytes: removal.size) }
        }
        inbound.forget(removals.lazy.filter { $0.direction == .inbound }.map(\.sequence))
        let others = removals.filter { $0.direction == .outbound }
        for (broker, outbound) in core.outbound {
            // A damaged row may not name its broker, so all brokers are asked.
            let own = others.filter { $0.broker == broker || $0.reason == .damaged }
            if !own.isEmpty { outbound.evicted(own) }
        }
        pending.forget(Set(removals.map(\.sequence)))
    }
}
