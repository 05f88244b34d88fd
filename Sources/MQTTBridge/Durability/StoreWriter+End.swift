import AsyncEventBus
import Locking
import MessageStore
import Mosquitto

/// The beginning and the end of a process that uses the store.
extension StoreWriter {
    /// Records that listeners are about to run. If the process ends before ``close()``, its end counts as a crash.
    func begin() { pending.add(.now) { $0.life = .began } }

    /// The unfinished work when the store writer is closed.
    struct Remainder: Hashable {
        /// The number of calls that still run. Their outcome is not recorded: they run again in the next process.
        var running = 0
        /// The number of stored inbound messages.
        var inbound = 0
        /// The number of stored outbound messages.
        var outbound = 0
    }

    /// Begins the shutdown: no further listener call begins for a stored message.
    func stop() {
        pressure.stop()
        inbound.stop()
    }

    /// Commits the pending changes for the last time, and closes. Calls of listeners that end later are not recorded:
    /// they run again in the next process.
    @discardableResult
    func close() -> Remainder {
        inbound.stop()
        scheduler.stop()
        return core.withLock { core in
            guard !core.isClosed else { return Remainder() }
            inbound.clearStartMarks()
            pending.add { $0.life = .ended }
            try? turn(&core)
            core.isClosed = true
            for outbound in core.outbound.values { outbound.close() }
            let error = ClientError(.notRunning, operation: "store an emit")
            let rest = pending.close()
            for departure in rest.departures {
                departure.receipt?.didRefuse(error)
                let record = departure.record
                context.reporter.count(.refused, broker: record.broker, topic: record.topic, reason: "\(error)")
            }
            let (stored, unpublished) = pending.withGauge { ($0.messages(.inbound), $0.messages(.outbound)) }
            return Remainder(running: inbound.running, inbound: stored, outbound: unpublished - rest.departures.count)
        }
    }
}
