public import AsyncEventBus
import Locking
public import Logging
public import MessageStore
import Mosquitto
public import ServiceLifecycle

/// Connects an event bus to one or more MQTT brokers.
///
/// Messages on the topics of a route become events; events of a route become messages. A listener receives a local emit
/// exactly once, directly and never as an echo from the broker. Events emitted before ``run()`` are queued, as far as
/// the queue of their broker has room.
///
/// Status events on the bus, for this process only, report changes of connections, and messages that were not
/// forwarded: `$bridge.connected`, `$bridge.disconnected`, `$bridge.subscribed`, `$bridge.sessionlost`,
/// `$bridge.degraded`, `$bridge.parked`, `$bridge.resumed`, `$bridge.stopped`, `$bridge.stalled`, `$bridge.recovered`,
/// `$bridge.storefailed`, `$bridge.storerecovered` and, at most once a second for each kind and broker,
/// `$bridge.refused`, `$bridge.dropped`, `$bridge.loop`, `$bridge.forged`, `$bridge.stored` and `$bridge.deadletter`.
/// Each has a JSON payload; ``BridgeEvent`` reads it.
///
/// With a store, routes may be durable (``Route/durability``). An inbound message of a durable route is acknowledged to
/// the broker when it is stored, and kept until every durable listener has finished it. An outbound event of a durable
/// route is accepted when it is stored, and kept until the broker has acknowledged it. After a crash a message may come
/// twice, with the same identity. docs/reliability.md lists the guarantees and their limits.
public final class Bridge: Service {
    struct State {
        var brokers: [BrokerConnection] = []
        /// Receives brokers that are added while the bridge runs; nil before and after.
        var additions: AsyncStream<BrokerConnection>.Continuation?
        var hasRun = false
    }

    let context: BridgeContext
    let router: CurrentRouter
    let writer: StoreWriter?
    private let makeClient: BrokerClientFactory
    let end: BridgeEnd
    let entry: BridgeRegister.Entry
    let state = Locked(State())
    /// Held during a change of routes and brokers, the store's part included, so that changes follow one another.
    let changes = Locked(())

    /// Makes a bridge, which connects in ``run()``.
    ///
    /// - Parameters:
    ///   - bus: The event bus.
    ///   - brokers: At least one; traps if there is none, or if two have the same name.
    ///   - routes: If empty, one route that maps everything of the first broker both ways.
    ///   - options: The limits of the bridge.
    ///   - store: Keeps the messages of durable routes. For the exclusive use of this bridge; the caller closes it
    ///     after ``run()`` has returned. With durable inbound routes, the session at the broker expires after a day and
    ///     the client identifier is persistent, unless ``Broker/options`` specify them.
    ///   - logger: Logs operational events; a message that is forwarded is not logged.
    /// - Throws: ``RouteProblems`` with all problems of the routes; `ClientError` for options that the installed
    ///   library does not support; `StoreError` if the store cannot be read; ``BridgeConflict`` if another bridge of
    ///   this bus, which has not ended, maps the same topics of the same broker to the same events.
    public convenience init(
        bus: EventBus,
        brokers: [Broker],
        routes: [Route] = [],
        options: BridgeOptions = BridgeOptions(),
        store: (any MessageStore)? = nil,
        logger: Logger = Logger(label: "mqtt-bridge")
    ) throws {
        try self.init(
            bus: bus,
            brokers: brokers,
            routes: routes,
            options: options,
            store: store,
            logger: logger,
            makeClient: Broker.makeClient
        )
    }

    /// As the public initializer.
    ///
    /// - Parameter makeClient: Makes the client of each broker.
    package init(
        bus: EventBus,
        brokers: [Broker],
        routes: [Route],
        options: BridgeOptions,
        store: (any MessageStore)?,
        logger: Logger,
        timing: Timing = .system,
        makeClient: @escaping BrokerClientFactory
    ) throws {
        precondition(!brokers.isEmpty, "a bridge needs at least one broker")
        let names = brokers.map(\.name)
        precondition(Set(names).count == names.count, "broker names must be unique")
        let table = try RouteTable(Route.meant(by: routes, brokers: names), brokers: Set(names), hasStore: store != nil)
        let digest = try store.map { try KeyedHash($0) } ?? KeyedHash()
        let inbound = brokers.map { BridgeRegister.InboundRoutes($0, table.routes) }
        entry = try BridgeRegister.shared.add(inbound, to: bus.source)
        context = BridgeContext(
            bus: bus,
            routes: CurrentRoutes(table),
            loopGuard: LoopGuard(
                repeatLimit: options.repeatLimit,
                turnLimit: options.maximumHops,
                span: options.store.dedupeSpan,
                count: options.store.dedupeCount,
                digest: digest,
                now: timing.now
            ),
            reporter: StatusReporter(
                bus: bus,
                logger: logger,
                now: timing.now,
                alarm: { [queue = timing.makeQueue("mqtt-bridge.reports")] in queue.run(after: $0, $1) }
            ),
            readiness: Readiness(brokers: names),
            options: options,
            logger: logger,
            timing: timing
        )
        for note in RouteCheck.notes(on: table.routes, brokers: brokers) {
            logger.notice("route note", metadata: [LogKey.reason: "\(note)"])
        }
        writer = try store.map { [context] in try StoreWriter(store: $0, context: context) }
        router = CurrentRouter(context, writer: writer)
        self.makeClient = makeClient
        end = BridgeEnd(context, writer, limit: brokers.map(\.options.timeouts.drain).max() ?? .zero)
        for broker in brokers { connect(try makeConnection(to: broker, table)) }
        router.attach()
    }

    deinit {
        // What comes in refers to what goes out, and the other way round by the delegate of each client.
        router.close()
        writer?.removeBrokers()
        for broker in brokers { broker.close() }
    }

    var brokers: [BrokerConnection] { state.withLock { $0.brokers } }

    func makeConnection(to broker: Broker, _ table: RouteTable) throws -> BrokerConnection {
        try BrokerConnection(
            broker,
            table: table,
            context: context,
            router: router,
            writer: writer,
            makeClient: makeClient
        )
    }

    /// Registers a connection with the store writer, then with the router, so that an event that the router forwards to
    /// the broker finds its delivery.
    func connect(_ connection: BrokerConnection) {
        if let outbound = connection.outbound { writer?.add(outbound) }
        router.add(connection.outlet)
        let additions = state.withLock { state in
            state.brokers.append(connection)
            return state.additions
        }
        additions?.yield(connection)
    }

    /// Returns once every broker has granted all subscriptions.
    ///
    /// - Throws: `ClientError` if a subscription was refused; the error of ``run()`` if that ends first;
    ///   `CancellationError`.
    public func becomeReady() async throws {
        try await context.readiness.wait()
    }

    /// Whether every broker is connected and has granted all subscriptions.
    public var isReady: Bool { context.readiness.isReady }
}
