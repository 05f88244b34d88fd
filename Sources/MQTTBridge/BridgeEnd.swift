import AsyncEventBus
import Locking
import Logging

/// Performs the shutdown of a bridge, and reports unfinished work.
///
/// In this order: reading stops; running calls finish, and no call begins for a stored message; their emits are
/// published or stored; the connections end. All steps share one limit, the longest drain limit of the brokers.
final class BridgeEnd: Sendable {
    /// The minimum time for publishing, however long listeners take.
    private static let leastDrain: Duration = .milliseconds(500)

    private let context: BridgeContext
    private let writer: StoreWriter?
    /// The longest drain limit of the brokers.
    private let limit: Duration
    /// The shutdown task: see ``windDown(_:)``.
    private let windingDown = Locked<Task<Void, Never>?>(nil)

    init(_ context: BridgeContext, _ writer: StoreWriter?, limit: Duration) {
        self.context = context
        self.writer = writer
        self.limit = limit
    }

    /// Returns when the listeners have finished or the limit is over; then the clients may be cancelled. Further calls
    /// wait for the same shutdown.
    func windDown(_ brokers: [BrokerConnection]) async {
        let task = windingDown.withLock { current in
            if let current { return current }
            context.end.begin()
            // Owned by this object, which has at most one. Each caller of this method awaits it; it lasts no longer
            // than the limit. A task of its own, since the task that runs the bridge may be cancelled by now.
            let task = Task { [context, writer, limit] in
                let deadline = context.timing.now() + limit
                for broker in brokers { broker.client.hold() }
                writer?.stop()
                context.logger.info("shutting down: reads no further message, and lets running calls finish")
                // Until no listener runs and their emits are stored or given to the clients.
                await context.timing.makeQueue("mqtt-bridge.end").wait(atMost: limit) {
                    await context.bus.waitUntilIdle()
                    await writer?.pending.committed()
                }
                for broker in brokers {
                    broker.client.limitDrain(until: max(deadline, context.timing.now() + Self.leastDrain))
                    // Reading resumes for the sake of acknowledgements. Durable messages that come with them are
                    // stored, but not delivered.
                    if writer?.pressure.isHeld(broker.name) != true { broker.client.resume() }
                }
            }
            current = task
            return task
        }
        await task.value
    }

    /// Reports the unfinished work in the log and on the bus.
    func report(_ left: StoreWriter.Remainder) {
        let unsent = context.end.unsent
        context.reporter.report(
            "$bridge.stopped",
            [
                ("running", String(left.running)), ("inbound", String(left.inbound)),
                ("outbound", String(left.outbound)), ("lost", String(unsent)),
            ]
        )
        guard left != StoreWriter.Remainder() || unsent > 0 else { return }
        context.logger.notice(
            "ended with unfinished work: the next process continues with the stored messages",
            metadata: [
                LogKey.running: "\(left.running)", LogKey.inbound: "\(left.inbound)",
                LogKey.outbound: "\(left.outbound)", LogKey.lost: "\(unsent)",
            ]
        )
    }
}
