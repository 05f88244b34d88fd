import AsyncEventBus
import Logging
import MessageStore
import Mosquitto

/// The client, the receiver and the outbound delivery of one broker.
///
/// Complete after `init`. The bridge then registers it with the store writer and the router.
final class BrokerConnection: Sendable {
    let outlet: BrokerOutlet
    /// Nil without a store.
    let outbound: OutboundDelivery?
    let broker: Broker
    private let receiver: MessageReceiver
    private let endState: EndState
    private let (ends, end) = AsyncStream<Never>.makeStream()

    /// - Parameters:
    ///   - broker: Its name must be unique within the bridge.
    ///   - table: The routes to subscribe for.
    ///   - router: Forwards inbound messages to durable outbound routes.
    /// - Throws: `StoreError` if the store cannot be read or written; `ClientError` for unusable options.
    init(
        _ broker: Broker,
        table: RouteTable,
        context: BridgeContext,
        router: CurrentRouter,
        writer: StoreWriter?,
        makeClient: BrokerClientFactory
    ) throws {
        endState = context.end
        var broker =
            try writer.map { writer in
                try broker.keepingSession(for: table.routes(of: broker.name), in: writer.store).expectingSession(
                    in: writer.store
                )
            } ?? broker
        broker.options.limits.largestPayload = context.options.maximumPayload
        let plan = Self.plan(for: broker, table)
        let memory = try writer.flatMap { try Self.recallSession(&broker, plan, $0.store, context.logger) }
        self.broker = broker
        // Unique, since several bridges on one bus may use the same name for different brokers.
        let link = "\(broker.name)-\(UInt64.random(in: .min ... .max))"
        receiver = MessageReceiver(
            broker: broker,
            link: link,
            context: context,
            writer: writer,
            router: router,
            subscriptions: BrokerSubscriptions(plan, memory)
        )
        let client = try makeClient(broker, plan.requests, receiver, context.logger)
        outlet = BrokerOutlet(broker: broker.name, client: client, format: broker.wireFormat, link: link)
        outbound = try writer.map { [outlet] writer in
            try OutboundDelivery(
                outlet,
                broker: broker,
                context: context,
                store: writer.store,
                pending: writer.pending,
                clock: writer.clock
            )
        }
    }

    private static func plan(for broker: Broker, _ table: RouteTable) -> SubscriptionPlan {
        SubscriptionPlan(
            table.routes(of: broker.name),
            version: broker.options.version,
            flagUse: RetainFlagUse(table.routes)
        )
    }

    var name: String { outlet.broker }

    var client: any BrokerClient { outlet.client }

    /// Recalls the former subscriptions of the session, which are unsubscribed at the first connection. Nil if no later
    /// run can resume the session.
    private static func recallSession(
        _ broker: inout Broker,
        _ plan: SubscriptionPlan,
        _ store: any MessageStore,
        _ logger: Logger
    ) throws(StoreError) -> SessionMemory? {
        guard !broker.options.isClientIDGenerated else { return nil }
        let memory = try SessionMemory(
            of: broker.options.clientID,
            at: broker.name,
            plan.requests.map(\.filter),
            in: store
        )
        broker.options.session.formerFilters += memory.former
        for clientID in memory.formerClientIDs {
            logger.notice(
                "the broker may still keep the session of a former client identifier, until it expires",
                metadata: [LogKey.broker: "\(broker.name)", LogKey.session: "\(escapedForLog(clientID))"]
            )
        }
        return memory
    }

    /// Whether the session ends with the connection although a durable inbound route needs one that outlives it: it is
    /// agreed upon while connecting.
    func lacksSession(for table: RouteTable) -> Bool {
        broker.options.session.expiry == .zero
            && table.routes(of: name).contains { $0.isDurable && $0.direction.includesIn }
    }

    /// Subscribes for the routes of a table, and unsubscribes what only former routes needed. Returns at once; the bridge is
    /// ready again when the broker has answered.
    ///
    /// - Throws: `StoreError` if the store cannot be written; then the subscriptions have not changed.
    func use(_ table: RouteTable) throws(StoreError) {
        guard let change = try receiver.subscriptions.use(Self.plan(for: broker, table)) else { return }
        receiver.context.readiness.lost(name)
        client.resubscribe(adding: change.added, ending: change.ended)
    }

    /// Stays connected until the task is cancelled or ``finish()`` is called. To be called once.
    ///
    /// - Throws: The error of the client if connecting is pointless.
    func run() async throws {
        defer {
            endState.lost(client.abandoned)
            close()
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [client] in try await client.run() }
            group.addTask { [ends] in for await _ in ends {} }
            // The first task to end cancels the other one.
            try await group.next()
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    /// Makes ``run()`` publish the queued messages, disconnect and return.
    func finish() { end.finish() }

    /// Releases the receiver's spare batch, which refers to all brokers of the bridge.
    func close() { receiver.close() }
}
