package import Logging
package import Mosquitto

/// The client of one broker, as a bridge uses it. ``/Mosquitto/Client`` is the real implementation; tests and
/// simulations replace it with one that calls the same delegate.
package protocol BrokerClient: AnyObject, Sendable {
    /// Connects, and stays connected, until the task is cancelled: see ``/Mosquitto/Client/run()``.
    func run() async throws

    /// Enqueues a message with a valid topic: see ``/Mosquitto/Client/enqueue(_:completion:)``.
    func enqueue(
        checked message: consuming Message,
        completion: (@Sendable (Result<ReasonCode, ClientError>) -> Void)?
    ) throws(ClientError)

    /// Makes and ends subscriptions: see ``/Mosquitto/Client/resubscribe(adding:ending:)``.
    func resubscribe(adding requests: [SubscriptionRequest], ending filters: [String])

    /// Returns once the queue has room for a message of this size.
    func waitForRoom(for message: Message) async throws

    /// Stops reading: see ``/Mosquitto/Client/hold()``.
    func hold()

    /// Resumes reading; reconnects if the client was parked.
    func resume()

    /// Sets the deadline for publishing at shutdown.
    func limitDrain(until deadline: ContinuousClock.Instant)

    /// The number of messages without a completion that were not published before the end.
    var abandoned: Int { get }
}

extension Client: BrokerClient {}

/// Makes the client of one broker, with the subscriptions that its routes need.
package typealias BrokerClientFactory =
    @Sendable (
        _ broker: Broker,
        _ subscriptions: [SubscriptionRequest],
        _ delegate: any ClientDelegate,
        _ logger: Logger
    ) throws -> any BrokerClient

extension Broker {
    /// Makes a ``/Mosquitto/Client``.
    static func makeClient(
        _ broker: Broker,
        _ subscriptions: [SubscriptionRequest],
        _ delegate: any ClientDelegate,
        _ logger: Logger
    ) throws -> any BrokerClient {
        try Client(
            brokers: broker.urls,
            options: broker.options,
            subscriptions: subscriptions,
            delegate: delegate,
            logger: logger
        )
    }
}
