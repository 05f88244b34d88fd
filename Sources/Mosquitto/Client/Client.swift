public import Logging

/// An MQTT client that stays connected to one of a list of brokers.
///
/// ``run()`` does the work, on a thread of the client. Messages that are enqueued before are published then. The client
/// publishes messages in the order of the calls, per topic and overall. After a loss of the connection it first
/// publishes unacknowledged messages again, then the rest of the queue. So a message at QoS 1 may reach the broker
/// twice; at QoS 1 and 2 none is lost as long as ``run()`` lasts. A message at QoS 0 counts as published once it is
/// written, and may be lost with the connection.
///
/// - Important: The client calls its ``ClientDelegate`` on the client's thread. During a call the client neither reads,
///   acknowledges nor publishes.
public final class Client: Sendable {
    let storage: ClientStorage

    /// Creates a client; ``run()`` connects it.
    ///
    /// - Parameters:
    ///   - brokers: At least one. The client tries them in order, and starts from the first after each loss.
    ///   - options: The options of all connections.
    ///   - subscriptions: Made on each connection, before ``ClientEvent/subscribed(_:)``.
    ///   - delegate: Gets messages and events, on the client's thread.
    ///   - logger: For conditions that an operator should know. Nothing is logged per message.
    /// - Throws: ``ClientError`` if the installed library cannot work with the options.
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
        for filter in subscriptions.map(\.filter) + options.session.formerFilters {
            try TopicRules.check(filter: filter)
        }
        storage = ClientStorage(
            brokers: brokers,
            options: options,
            subscriptions: subscriptions,
            delegate: delegate,
            logger: logger
        )
    }

    /// Connects, and stays connected until the task is cancelled. Call it once.
    ///
    /// After cancellation it publishes queued messages for at most ``ClientOptions/Timeouts/drain``, sends DISCONNECT, so
    /// that the broker does not publish the will, and returns. Messages left in the queue complete with
    /// ``ClientError/Code/notRunning``.
    ///
    /// - Throws: ``ClientError`` if a retry cannot help: another client uses the client identifier, a password or
    ///   certificate cannot be read before the first connection, or the broker does not support the protocol version.
    ///   The client retries for ever if the broker is away or refuses the login, or if a file cannot be read later (see
    ///   ``ClientOptions/Reconnect/persistence``).
    public func run() async throws {
        precondition(storage.begin(), "run() is called once")
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Result<Void, ClientError>, Never>) in
                startThread(named: "mqtt-client") {
                    let result = ConnectionDriver(client: self).run()
                    Library.leaveThread()
                    continuation.resume(returning: result)
                }
            }
        } onCancel: {
            storage.shutDown()
        }
        try result.get()
    }

    /// Queues a message. Returns at once, from any thread.
    ///
    /// - Parameters:
    ///   - message: The message.
    ///   - completion: Called once, on the client's thread: when the broker has acknowledged the message (QoS 1 and
    ///     2), with the reason code; when the message is written (QoS 0); or when the client gives it up. A refusal
    ///     by the broker is a failure.
    /// - Throws: ``ClientError`` with code ``ClientError/Code/invalidTopic``, ``ClientError/Code/tooLarge``,
    ///   ``ClientError/Code/queueFull`` or ``ClientError/Code/notRunning``; the completion is not called then.
    public func enqueue(
        _ message: Message,
        completion: (@Sendable (Result<ReasonCode, ClientError>) -> Void)? = nil
    ) throws(ClientError) {
        try TopicRules.check(topic: message.topic)
        try enqueue(checked: message, completion: completion)
    }

    /// Like ``enqueue(_:completion:)``, for a topic that has already been validated.
    package func enqueue(
        checked message: consuming Message,
        completion: (@Sendable (Result<ReasonCode, ClientError>) -> Void)? = nil
    ) throws(ClientError) {
        try storage.add(Publication(checked: message, completion: completion))
    }

    /// Publishes a message, and returns when the broker has acknowledged it; at QoS 0 when it is written. Suspends while
    /// the queue is full.
    ///
    /// - Returns: ``ReasonCode/success``, or ``ReasonCode/noMatchingSubscribers`` from brokers that report it.
    /// - Throws: ``ClientError`` as ``enqueue(_:completion:)``, or the broker's refusal. `CancellationError` as soon as the
    ///   task is cancelled: a message in the queue is withdrawn, a message in flight may still be published.
    @discardableResult
    public func publish(_ message: Message) async throws -> ReasonCode {
        try TopicRules.check(topic: message.topic)
        let answer = Answer<ReasonCode>()
        let publication = try Publication(checked: message) { answer.give($0) }
        while true {
            do {
                try storage.add(publication)
                break
            } catch let error where error.code == .queueFull {
                try await waitForRoom(for: message)
            }
        }
        do {
            return try await answer.value
        } catch let error as CancellationError {
            storage.withdraw(publication)
            throw error
        }
    }

    /// Suspends until half of the queue is free and has room for a message.
    ///
    /// Waiters resume in the order of their calls. A message that is larger than the whole queue waits until the queue
    /// is empty. Returns at once when ``run()`` has ended.
    ///
    /// - Throws: `CancellationError`.
    public func waitForRoom(for message: Message) async throws {
        try await storage.waitForRoom(for: message.size)
    }

    /// Subscribes, now and on each later connection. Returns when the broker has answered.
    ///
    /// - Returns: One result for each request, in order. A refusal by the broker is a result, not an error.
    /// - Throws: ``ClientError`` with code ``ClientError/Code/invalidTopic`` for a malformed filter, or
    ///   ``ClientError/Code/notRunning`` if the client ends first. `CancellationError` as soon as the task is cancelled: the
    ///   client may still subscribe.
    public func subscribe(_ requests: [SubscriptionRequest]) async throws -> [SubscriptionResult] {
        for request in requests { try TopicRules.check(filter: request.filter) }
        guard !requests.isEmpty else { return [] }
        let answer = Answer<[SubscriptionResult]>()
        storage.order(.subscribe(requests) { answer.give($0) })
        return try await answer.value
    }

    /// Unsubscribes, now and on each later connection.
    ///
    /// Returns when the broker has answered, or when no session can hold the subscriptions: at once without a
    /// connection and without a ``ClientOptions/Session/expiry``. With a session expiry, a call without a connection, or
    /// one whose connection ends before the answer, takes effect on the next connection that finds the session, and
    /// returns then. The broker's reason code is unknown: libmosquitto 2.0.11 does not pass it on (handle_unsuback.c).
    ///
    /// - Throws: ``ClientError`` with code ``ClientError/Code/notRunning`` if the client ends first. `CancellationError` as
    ///   soon as the task is cancelled: the client may still unsubscribe.
    public func unsubscribe(_ filters: [String]) async throws {
        for filter in filters { try TopicRules.check(filter: filter) }
        guard !filters.isEmpty else { return }
        let answer = Answer<Void>()
        storage.order(.unsubscribe(filters) { answer.give($0) })
        try await answer.value
    }

    /// Makes valid subscriptions, then ends others, now and on each later connection. Returns at once;
    /// ``ClientEvent/subscribed(_:)`` follows when the broker has answered. Without effect when the client has ended.
    package func resubscribe(adding requests: [SubscriptionRequest], ending filters: [String]) {
        if !requests.isEmpty { storage.order(.subscribe(requests) { _ in }) }
        if !filters.isEmpty { storage.order(.unsubscribe(filters) { _ in }) }
    }
}
