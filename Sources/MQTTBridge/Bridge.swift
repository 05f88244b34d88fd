public import AsyncEventBus
import Dispatch
public import Logging
public import MessageStore
import Mosquitto
public import ServiceLifecycle

/// Joins a bus to one or more MQTT brokers.
///
/// Messages on the topics of a route become events; events of a route become messages. A listener hears a local emit
/// exactly once, directly and never by an echo from the broker. Events emitted before ``run()`` wait, as far as the
/// queue of their broker has room.
///
/// What happens to the connections and to messages that could not pass is on the bus as well, for this process only:
/// `$bridge.connected`, `$bridge.disconnected`, `$bridge.subscribed`, `$bridge.sessionlost`, `$bridge.parked`,
/// `$bridge.resumed`, `$bridge.storefailed`, `$bridge.storerecovered` and, at most once a second for each kind and broker,
/// `$bridge.refused`, `$bridge.dropped`, `$bridge.loop`, `$bridge.stored` and `$bridge.deadletter`. Each has a payload of
/// JSON.
///
/// With a store, routes may be durable (``Route/durability``). What such a route brings in is acknowledged to the broker
/// when it is stored, and stays until every named listener has finished with it; what such a route takes out is accepted
/// when it is stored, and stays until the broker has taken it. After a crash a message may come twice, with the same
/// identity. docs/reliability.md says what is promised and what is not.
public final class Bridge: Service {
    private let context: BridgeContext
    private let clients: [Client]
    private let sender: Sender
    private let journal: Journal?

    /// A bridge that is not connected yet.
    ///
    /// - Parameters:
    ///   - routes: If there are none, one that maps everything both ways, with the first broker.
    ///   - store: Keeps the messages of durable routes. Used by this bridge alone; closing it, after ``run()`` has
    ///     returned, is the caller's business. A broker with durable routes in gets a session that it keeps for a day, and
    ///     a client identifier that stays the same, unless ``Broker/options`` say otherwise.
    ///   - logger: For what an operator should know; nothing is logged for single messages that pass.
    /// - Throws: ``RouteProblems`` with everything that is wrong with the routes; `ClientError` for options that cannot
    ///   work with the library that is installed; `StoreError` if the store cannot be read.
    public init(
        bus: EventBus,
        brokers: [Broker],
        routes: [Route] = [],
        options: BridgeOptions = BridgeOptions(),
        store: (any MessageStore)? = nil,
        logger: Logger = Logger(label: "mqtt-bridge")
    ) throws {
        precondition(!brokers.isEmpty, "a bridge needs a broker")
        let names = brokers.map(\.name)
        precondition(Set(names).count == names.count, "brokers have names of their own")
        let given = routes.isEmpty ? [.everything(broker: names[0])] : routes
        let table = try RouteTable(given, brokers: Set(names), hasStore: store != nil)
        let context = BridgeContext(
            bus: bus,
            table: table,
            guards: Guards(
                repeatLimit: options.repeatLimit,
                turnLimit: options.maximumHops,
                span: options.store.dedupeSpan,
                count: options.store.dedupeCount
            ),
            reporter: StatusReporter(bus: bus),
            readiness: Readiness(brokers: names),
            options: options,
            logger: logger
        )
        for note in RouteCheck.notes(on: table.routes) {
            logger.notice("route note", metadata: [LogKey.reason: "\(note)"])
        }
        let journal = try store.map { try Journal(store: $0, context: context, routes: table.routes) }
        let sender = Sender(context: context, journal: journal)
        var outlets: [String: Sender.Outlet] = [:]
        var outflows: [String: Outflow] = [:]
        for broker in brokers {
            let own = table.routes.filter { $0.broker == broker.name }
            var broker = try journal.map { try broker.keepingSession(for: own, in: $0.store) } ?? broker
            broker.options.largestPayload = options.maximumPayload
            // Several bridges on one bus may use the same name for different brokers.
            let link = "\(broker.name)-\(UInt64.random(in: .min ... .max))"
            let client = try Client(
                brokers: broker.urls,
                options: broker.options,
                subscriptions: SubscriptionPlan(own, version: broker.options.version).requests,
                delegate: Receiver(broker: broker, link: link, context: context, journal: journal, sender: sender),
                logger: logger
            )
            let outlet = Sender.Outlet(broker: broker.name, client: client, format: broker.wireFormat, link: link)
            outlets[broker.name] = outlet
            guard let journal else { continue }
            journal.deliveries.setLink(link, of: broker.name)
            outflows[broker.name] = try Outflow(
                outlet,
                broker: broker,
                context: context,
                store: journal.store,
                work: journal.work,
                clock: journal.clock
            )
        }
        self.context = context
        self.journal = journal
        self.sender = sender
        clients = outlets.values.map(\.client)
        journal?.attach(outflows)
        sender.attach(outlets)
        bus.attach(sender, to: table.outboundPatterns)
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
        defer {
            // In this order: what a listener has finished is noted until the store is closed, so until then what it emitted
            // must have been taken, or refused.
            journal?.close()
            context.bus.detach(sender, from: context.table.outboundPatterns)
        }
        let housekeeping = journal.map { Self.housekeeping($0) }
        defer { housekeeping?.cancel() }
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

    /// Looks after the store, once a second, until it is cancelled. On a thread that may block.
    private static func housekeeping(_ journal: Journal) -> any DispatchSourceTimer {
        let timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "mqtt-bridge.housekeeping"))
        var turn = 0
        timer.setEventHandler {
            journal.lookAround(isThorough: turn % 10 == 0)
            turn += 1
        }
        timer.schedule(deadline: .now(), repeating: .seconds(1))
        timer.resume()
        return timer
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
