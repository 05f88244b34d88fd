package import AsyncEventBus
internal import Logging
package import MQTTBridge
internal import MessageStore
internal import Mosquitto

/// A process with a bus and a bridge, which may be killed at any time: then nothing that goes on in it has any effect.
// SAFETY: used by the one thread of the simulation.
package final class SimulatedProcess: @unchecked Sendable {
    let owner = QueueOwner()
    package private(set) var isAlive = true
    /// Whether the bridge has ended by itself or in order.
    package private(set) var hasEnded = false
    package let bus: EventBus
    package private(set) var bridge: Bridge?
    /// The first segments of the events that named listeners hear.
    var heard: Set<String> = []
    let routes: BridgeRoutes
    private var clients: [SimulatedClient] = []
    private var running: Task<Void, Never>?
    private let loop: EventLoop

    /// - Parameter brokers: By the names that routes use.
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

    /// Whether a message that a route wants has to be stored: a listener hears its event, or a route publishes it. The event
    /// begins as the topic does; `echo` is what comes back of the process's own events.
    func keeps(_ topic: String) -> Bool {
        let kind = String(topic.prefix { $0 != "/" })
        return heard.contains(kind) || routes.published.contains(kind)
    }

    /// The bridge begins to run.
    package func start() {
        guard let bridge else { return }
        // Owned by this process, and the only one: ends when the process is stopped, or is left when it is killed.
        running = Task { [self] in
            try? await bridge.run()
            hasEnded = true
        }
    }

    /// The bridge is to end in order.
    package func stop() { running?.cancel() }

    /// From now on nothing that goes on here has an effect.
    package func kill() {
        guard isAlive else { return }
        isAlive = false
        for client in clients { client.kill() }
        for source in owner.sources { loop.close(source) }
        clients = []
        bridge = nil
    }
}
