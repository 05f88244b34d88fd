public import AsyncEventBus
public import Logging
import Mosquitto
public import ServiceLifecycle

/// Joins a bus to one or more MQTT brokers.
///
/// Messages on the topics of a route become events; events of a route become messages. A listener hears a local emit
/// exactly once, directly and never by an echo from the broker. Events emitted before ``run()`` wait, as far as the
/// queue of their broker has room.
///
/// What happens to the connections and to messages that could not pass is on the bus as well, for this process only:
/// `$bridge.connected`, `$bridge.disconnected`, `$bridge.subscribed`, `$bridge.sessionlost`, and, at most once a second
/// for each kind and broker, `$bridge.refused`, `$bridge.dropped` and `$bridge.loop`. Each has a payload of JSON.
public final class Bridge: Service {
    private let context: BridgeContext
    private let clients: [Client]
    private let sender: Sender

    /// A bridge that is not connected yet.
    ///
    /// - Parameters:
    ///   - routes: If there are none, one that maps everything both ways, with the first broker.
    ///   - logger: For what an operator should know; nothing is logged for single messages that pass.
    /// - Throws: ``RouteProblems`` with everything that is wrong with the routes; `ClientError` for options that cannot
    ///   work with the library that is installed.
    public init(
        bus: EventBus,
        brokers: [Broker],
        routes: [Route] = [],
        options: BridgeOptions = BridgeOptions(),
        logger: Logger = Logger(label: "mqtt-bridge")
    ) throws {
        precondition(!brokers.isEmpty, "a bridge needs a broker")
        let names = brokers.map(\.name)
        precondition(Set(names).count == names.count, "brokers have names of their own")
        let routes = routes.isEmpty ? [.everything(broker: names[0])] : routes
        let context = BridgeContext(
            bus: bus,
            table: try RouteTable(routes, brokers: Set(names)),
            guards: Guards(repeatLimit: options.repeatLimit, turnLimit: options.maximumHops),
            reporter: StatusReporter(bus: bus),
            readiness: Readiness(brokers: names),
            options: options,
            logger: logger
        )
        var outlets: [String: Sender.Outlet] = [:]
        for broker in brokers {
            // Several bridges on one bus may use the same name for different brokers.
            let link = "\(broker.name)-\(UInt64.random(in: .min ... .max))"
            let own = routes.filter { $0.broker == broker.name }
            let client = try Client(
                brokers: broker.urls,
                options: broker.options,
                subscriptions: SubscriptionPlan(own, version: broker.options.version).requests,
                delegate: Receiver(broker: broker, link: link, context: context),
                logger: logger
            )
            outlets[broker.name] = Sender.Outlet(client: client, format: broker.wireFormat, link: link)
        }
        self.context = context
        clients = outlets.values.map(\.client)
        sender = Sender(outlets: outlets, context: context)
        bus.attach(sender, to: context.table.outboundPatterns)
    }

    deinit {
        context.bus.detach(sender, from: context.table.outboundPatterns)
    }

    /// Connects, and moves messages until the task is cancelled or a graceful shutdown begins.
    ///
    /// Then it publishes what waits, for at most ``Mosquitto/ClientOptions/drainLimit`` of each broker, says DISCONNECT
    /// and returns. Call it once.
    ///
    /// - Throws: `ClientError` if going on makes no sense for one of the brokers: another client uses our identifier,
    ///   a certificate cannot be read, the broker does not speak this version.
    public func run() async throws {
        defer { context.bus.detach(sender, from: context.table.outboundPatterns) }
        do {
            try await cancelWhenGracefulShutdown { [clients] in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for client in clients { group.addTask { try await client.run() } }
                    try await group.waitForAll()
                }
            }
            context.readiness.ended(CancellationError())
        } catch {
            context.readiness.ended(error)
            throw error
        }
    }

    /// Returns once every broker has granted all subscriptions.
    ///
    /// - Throws: `ClientError` if one was refused; what ``run()`` throws, if it ends first; `CancellationError`.
    public func becomeReady() async throws {
        try await context.readiness.wait()
    }

    /// Whether every broker is connected and has granted all subscriptions.
    public var isReady: Bool { context.readiness.isReady }
}
