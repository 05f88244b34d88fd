import Locking
public import Logging
public import MQTTBridge

/// A bridge without a broker: for tests of the listeners on its bus, in milliseconds.
///
/// ```swift
/// let test = try TestBridge(routes: Gateway.routes)
/// Gateway.addRules(to: test.bus)
/// await test.receive("meters/p1/pressure", #"{"bar":7}"#)
/// #expect(test.published.map(\.topic) == ["pumps/p1/command"])
/// ```
///
/// Routes, templates, codecs, loop guard and receipts are those of a ``/MQTTBridge/Bridge``; only the client is replaced. It is
/// connected from the start. There is no store: durable listeners are there, and nothing survives the test.
public final class TestBridge: Sendable {
    /// The bus: add listeners to it, and emit on it.
    public let bus: EventBus

    private static var warningsOnly: Logger {
        var logger = Logger(label: "test-bridge")
        logger.logLevel = .warning
        return logger
    }

    private let bridge: Bridge
    private let clients: [String: TestClient]

    /// Makes a bridge.
    ///
    /// - Parameters:
    ///   - routes: As for ``/MQTTBridge/Bridge``; the brokers that they name are there.
    ///   - bus: A bus of its own, unless given: one with a ``TestClock``, for retries and time limits.
    ///   - version: The version of MQTT.
    ///   - metadata: The metadata of messages; none of their own, unless given, so that they are easy to compare.
    ///   - replyingWithin: See ``/MQTTBridge/Broker/replyingWithin``.
    ///   - logger: The bridge's logger; nil for one that logs warnings and errors.
    /// - Throws: As ``/MQTTBridge/Bridge``.
    public init(
        routes: [Route],
        bus: EventBus = EventBus(name: "test"),
        version: ProtocolVersion = .v5,
        metadata: Metadata = .none,
        replyingWithin: [TopicTemplate] = [],
        logger: Logger? = nil
    ) throws {
        let names = Set(routes.map(\.broker)).sorted()
        var options = ClientOptions()
        options.version = version
        // A name of a broker may hold characters that a URL may not.
        let brokers = try (names.isEmpty ? ["default"] : names).enumerated().map { number, name in
            try Broker(
                "mqtt://broker\(number).invalid",
                name: name,
                options: options,
                metadata: metadata,
                replyingWithin: replyingWithin
            )
        }
        let clients = Locked<[String: TestClient]>([:])
        self.bus = bus
        bridge = try Bridge(
            bus: bus,
            brokers: brokers,
            routes: routes,
            options: BridgeOptions(),
            store: nil,
            logger: logger ?? Self.warningsOnly
        ) { broker, subscriptions, delegate, _ in
            let client = try TestClient(broker, subscriptions, delegate)
            clients.withLock { $0[broker.name] = client }
            return client
        }
        self.clients = clients.withLock { $0 }
        for client in self.clients.values { client.connect() }
    }

    /// Passes on a message as if it came from a broker, and returns when all listeners have finished.
    ///
    /// - Parameters:
    ///   - topic: The topic of the message.
    ///   - payload: The payload of the message.
    ///   - broker: The name of the broker; traps if no route has it.
    ///   - qos: The QoS of the message.
    ///   - isRetained: Whether the broker had retained the message.
    ///   - properties: The properties of the message (MQTT 5 only).
    /// - Returns: Whether a subscription of a route matches the topic; if not, nothing happens.
    @discardableResult
    public func receive(
        _ topic: String,
        _ payload: Payload = .empty,
        from broker: String = "default",
        qos: QoS = .atLeastOnce,
        isRetained: Bool = false,
        properties: MessageProperties = MessageProperties()
    ) async -> Bool {
        let message = Message(
            topic: topic,
            payload: payload.bytes,
            qos: qos,
            isRetained: isRetained,
            properties: properties
        )
        guard client(broker).receive(message) != nil else { return false }
        await settle()
        return true
    }

    /// Returns when no event waits and no listener runs.
    ///
    /// An event that waits for another attempt is waited for: with a ``TestClock``, advance that first.
    public func settle() async { await bus.waitUntilIdle() }

    /// The messages that were published to a broker, in order.
    ///
    /// - Parameter broker: Its name; traps if no route has it.
    public func published(to broker: String) -> [Message] { client(broker).published }

    /// The messages that were published to the broker `default`, in order.
    public var published: [Message] { published(to: "default") }

    /// Forgets the messages that were published.
    public func forgetPublished() { for client in clients.values { client.forgetPublished() } }

    /// Cuts the connection to a broker, until ``connect(to:)``: what is published waits.
    public func disconnect(from broker: String = "default") { client(broker).disconnect() }

    /// Connects to a broker again, and publishes what has waited.
    public func connect(to broker: String = "default") { client(broker).connect() }

    /// Refuses what is published from now on, as a broker does whose access rules forbid it; nil to accept.
    public func refuse(with reason: ReasonCode?, at broker: String = "default") { client(broker).refuse(with: reason) }

    private func client(_ broker: String) -> TestClient {
        guard let client = clients[broker] else { preconditionFailure("no route has the broker \(broker)") }
        return client
    }
}
