package import AsyncEventBus
internal import Logging
package import MQTTBridge
internal import MessageStore
internal import Mosquitto

/// A process with a bus and a bridge. It may be killed at any time; from then on, its remaining work has no effect.
// SAFETY: used by the one thread of the simulation.
package final class SimulatedProcess: @unchecked Sendable {
    let owner = QueueOwner()
    package private(set) var isAlive = true
    /// Whether the bridge has returned from `run()`, by itself or after ``stop()``.
    package private(set) var hasEnded = false
    package let bus: EventBus
    package private(set) var bridge: Bridge?
    /// The first segments of the events that durable listeners receive.
    var heard: Set<String> = []
    let routes: BridgeRoutes
    private var clients: [SimulatedClient] = []
    private var running: Task<Void, Never>?
    private let loop: EventLoop

    /// - Parameter brokers: The brokers, with the names that routes use.
    init(
        _ loop: EventLoop,
        _ medium: SimulatedMedium?,
        _ brokers: [(Broker, SimulatedBroker)],
        _ routes: BridgeRoutes
    ) throws {
        self.loop = loop
        self.routes = routes
        var logger = Logger(label: "simulation")
        logger.logLevel = .critical
        bus = EventBus(name: "simulated", clock: SimulatedClock(loop: loop), logger: logger)
        let simulated = Dictionary(uniqueKeysWithValues: brokers.map { ($0.0.name, $0.1) })
        let store = medium.map { SimulatedStore($0, self) }
        bridge = try Bridge(
            bus: bus,
            brokers: brokers.map(\.0),
            routes: routes.routes,
            options: BridgeOptions(),
            store: store,
            logger: logger,
            timing: loop.timing(owner: owner),
            makeClient: { [self] broker, subscriptions, delegate, _ in
                guard let place = simulated[broker.name] else { preconditionFailure("no broker \(broker.name)") }
                let client = try SimulatedClient(broker, subscriptions, delegate, at: place, of: self, loop)
                clients.append(client)
                return client
            }
        )
    }

    /// Whether a message of an inbound route must be stored, because a listener receives its event or a route publishes it.
    /// An event's first segment is its topic's first level, except on `echo`, which returns the process's own events.
    func keeps(_ topic: String) -> Bool {
        let kind = String(topic.prefix { $0 != "/" })
        return heard.contains(kind) || routes.published.contains(kind)
    }

    /// Starts the bridge.
    package func start() {
        guard let bridge else { return }
        // Owned by this process, and the only one: ends when the process is stopped, or is left when it is killed.
        running = Task { [self] in
            try? await bridge.run()
            hasEnded = true
        }
    }

    /// Cancels the bridge, which then shuts down in order.
    package func stop() { running?.cancel() }

    /// Kills the process: cuts its connections, discards its queued work, and fails its store operations.
    package func kill() {
        guard isAlive else { return }
        isAlive = false
        for client in clients { client.kill() }
        for source in owner.sources { loop.close(source) }
        clients = []
        bridge = nil
    }
}
