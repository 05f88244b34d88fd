public import Logging

/// A connection to one of a list of MQTT brokers, which is opened again whenever it ends.
///
/// ``run()`` does the work, on a thread of the client's own; nothing happens before it is called or after it has
/// returned. Messages go out in the order in which they were given, per topic and over all. What waits when a
/// connection ends is sent on the next one, first of all what was not acknowledged: the broker may get a message twice,
/// and never loses one that was accepted here, as long as this process lives.
///
/// - Important: What arrives is given to the ``ClientDelegate`` on the client's thread. As long as that works, nothing
///   is read, nothing is acknowledged and nothing is sent.
public final class Client: Sendable {
    let storage: ClientStorage

    /// A client that is not connected yet.
    ///
    /// - Parameters:
    ///   - brokers: At least one. They are tried in turn; after each loss, from the first.
    ///   - subscriptions: Made at each connection, before `.subscribed` is noticed.
    ///   - logger: For what an operator should know. Nothing is logged for each message.
    /// - Throws: ``ClientError`` if the options cannot work with the library that is installed.
    public init(
        brokers: [BrokerURL],
        options: ClientOptions = ClientOptions(),
        subscriptions: [SubscriptionRequest] = [],
        delegate: some ClientDelegate,
        logger: Logger
    ) throws(ClientError) {
        precondition(!brokers.isEmpty, "a client needs a broker")
        try Library.initialize()
        try options.check(for: brokers)
        for subscription in subscriptions { try TopicRules.check(filter: subscription.filter) }
        storage = ClientStorage(
            brokers: brokers,
            options: options,
            subscriptions: subscriptions,
            delegate: delegate,
            logger: logger
        )
    }

    /// Connects, and stays connected, until the task is cancelled.
    ///
    /// When cancelled it publishes what waits, for at most ``ClientOptions/drainLimit``, says DISCONNECT, so that no
    /// will is published, and returns. What could not be published then completes with
    /// ``ClientError/Code/notRunning``. Call it once.
    ///
    /// - Throws: ``ClientError`` if going on makes no sense: another client uses our identifier, a certificate cannot be
    ///   read, the broker does not speak this version. A broker that is away, or refuses the login, is tried again for
    ///   ever.
    public func run() async throws {
        precondition(storage.begin(), "run() is called once")
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Result<Void, ClientError>, Never>) in
                let storage = storage
                startThread(named: "mqtt-client") {
                    let result = Link(storage: storage).run()
                    Library.leaveThread()
                    continuation.resume(returning: result)
                }
            }
        } onCancel: {
            storage.shutDown()
        }
        try result.get()
    }

    /// Gives a message to the client. Returns at once.
    ///
    /// - Parameter completion: Called once, on the client's thread, when the broker has acknowledged the message (QoS
    ///   1 and 2) or it was written (QoS 0), with what the broker said; or when it was given up. A refusal by the
    ///   broker is a failure.
    /// - Throws: ``ClientError`` with code ``ClientError/Code/invalidTopic``, ``ClientError/Code/tooLarge``,
    ///   ``ClientError/Code/queueFull`` or ``ClientError/Code/notRunning``; the completion is not called then.
    public func enqueue(
        _ message: Message,
        completion: (@Sendable (Result<ReasonCode, ClientError>) -> Void)? = nil
    ) throws(ClientError) {
        try TopicRules.check(topic: message.topic)
        try enqueue(checked: message, completion: completion)
    }

    /// As ``enqueue(_:completion:)``, for a topic that was found good before.
    package func enqueue(
        checked message: consuming Message,
        completion: (@Sendable (Result<ReasonCode, ClientError>) -> Void)? = nil
    ) throws(ClientError) {
        guard message.payload.count <= 268_435_455 - 65_535 else {
            throw ClientError(.tooLarge, operation: "publish to \"\(escapedForLog(message.topic))\"")
        }
        try storage.add(Publication(message: message, completion: completion))
    }

    /// Publishes a message, and returns when the broker has taken it.
    ///
    /// - Returns: What the broker said: ``ReasonCode/success``, or ``ReasonCode/noMatchingSubscribers`` from brokers
    ///   that tell.
    /// - Throws: ``ClientError`` as ``enqueue(_:completion:)``, or as the broker refused. Cancellation does not take a
    ///   message back: the call goes on waiting until the message is done with.
    @discardableResult
    public func publish(_ message: Message) async throws -> ReasonCode {
        try await withCheckedThrowingContinuation { continuation in
            do {
                try enqueue(message) { continuation.resume(with: $0) }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }

    /// Suspends while more than half of the queue is taken.
    public func waitForRoom() async throws {
        try await storage.waitForRoom()
    }

    /// Subscribes, now and at each connection to come. Returns when the broker has answered.
    public func subscribe(_ requests: [SubscriptionRequest]) async throws -> [SubscriptionResult] {
        for request in requests { try TopicRules.check(filter: request.filter) }
        guard !requests.isEmpty else { return [] }
        return try await withCheckedThrowingContinuation { continuation in
            storage.order(.subscribe(requests) { continuation.resume(with: $0) })
        }
    }

    /// Ends subscriptions, now and at each connection to come. Returns when the broker has answered, or at once if
    /// there is no connection. What the broker said is not known: libmosquitto 2.0.11 does not pass it on
    /// (handle_unsuback.c).
    public func unsubscribe(_ filters: [String]) async throws {
        for filter in filters { try TopicRules.check(filter: filter) }
        guard !filters.isEmpty else { return }
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            storage.order(.unsubscribe(filters) { continuation.resume(with: $0) })
        }
    }
}
