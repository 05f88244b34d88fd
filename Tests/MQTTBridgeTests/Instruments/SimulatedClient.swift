import Logging
import Mosquitto
import TestSupport

@testable import MQTTBridge

/// A client without a broker: takes what is published, and hands over what a test wants to come in.
final class SimulatedClient: BrokerClient {
    private struct State {
        var published: [Message] = []
        var isHeld = false
        var hasRun = false
    }

    let subscriptions: [SubscriptionRequest]
    private let broker: Broker
    private let delegate: any ClientDelegate
    /// The client that the delegate hears of; it never runs.
    private let client: Client
    private let state = Locked(State())

    init(_ broker: Broker, _ subscriptions: [SubscriptionRequest], _ delegate: any ClientDelegate) throws {
        self.broker = broker
        self.subscriptions = subscriptions
        self.delegate = delegate
        client = try Client(brokers: broker.urls, delegate: delegate, logger: Logger(label: "simulated"))
    }

    var published: [Message] { state.withLock { $0.published } }
    var isHeld: Bool { state.withLock { $0.isHeld } }
    var hasRun: Bool { state.withLock { $0.hasRun } }

    /// A message comes from the broker. Returns whether it may be acknowledged.
    func receive(_ message: Message) -> Bool { delegate.client(client, received: [message]) == .acknowledge }

    func run() async throws {
        state.withLock { $0.hasRun = true }
        let info = ConnectionInfo(
            url: broker.urls[0],
            version: broker.options.version,
            sessionPresent: false,
            inFlightWindow: 20
        )
        delegate.client(client, noticed: .connected(info))
        delegate.client(client, noticed: .subscribed([]))
        for await _ in AsyncStream<Never>.makeStream().stream {}
        delegate.client(client, noticed: .disconnected(nil))
    }

    func enqueue(
        checked message: consuming Message,
        completion: (@Sendable (Result<ReasonCode, ClientError>) -> Void)?
    ) throws(ClientError) {
        state.withLock { [message] in $0.published.append(message) }
        completion?(.success(.success))
    }

    func waitForRoom(for message: Message) async throws {}
    func hold() { state.withLock { $0.isHeld = true } }
    func resume() { state.withLock { $0.isHeld = false } }
    func limitDrain(until deadline: ContinuousClock.Instant) {}
    var abandoned: Int { 0 }
}
