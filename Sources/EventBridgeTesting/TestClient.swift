import Locking
import Logging
package import MQTTBridge

/// A client without a broker: keeps what is published, and passes on what a test wants to come in.
package final class TestClient: BrokerClient {
    private struct Publication {
        let message: Message
        let completion: (@Sendable (Result<ReasonCode, ClientError>) -> Void)?
    }

    private struct State {
        var subscriptions: [SubscriptionRequest]
        var published: [Message] = []
        var waiting: [Publication] = []
        var isConnected = false
        var refusal: ReasonCode?
        var hasRun = false
    }

    private let broker: Broker
    private let delegate: any ClientDelegate
    /// The client that is passed to the delegate; it never runs.
    private let identity: Client
    private let state: Locked<State>

    package init(_ broker: Broker, _ subscriptions: [SubscriptionRequest], _ delegate: any ClientDelegate) throws {
        self.broker = broker
        state = Locked(State(subscriptions: subscriptions))
        self.delegate = delegate
        identity = try Client(brokers: broker.urls, delegate: delegate, logger: Logger(label: "test-client"))
    }

    /// The current subscriptions.
    package var subscriptions: [SubscriptionRequest] { state.withLock { $0.subscriptions } }

    /// The messages that were published, in order.
    package var published: [Message] { state.withLock { $0.published } }

    func forgetPublished() { state.withLock { $0.published = [] } }

    func refuse(with reason: ReasonCode?) { state.withLock { $0.refusal = reason } }

    func connect() {
        let waiting = state.withLock { state -> [Publication] in
            state.isConnected = true
            defer { state.waiting = [] }
            return state.waiting
        }
        let info = ConnectionInfo(
            url: broker.urls[0],
            version: broker.options.version,
            sessionPresent: false,
            inFlightWindow: 20
        )
        delegate.client(identity, noticed: .connected(info))
        answerSubscriptions()
        for publication in waiting { publish(publication) }
    }

    /// Grants all subscriptions.
    private func answerSubscriptions() {
        let results = subscriptions.map {
            SubscriptionResult(request: $0, reason: ReasonCode(rawValue: $0.qos.rawValue))
        }
        delegate.client(identity, noticed: .subscribed(results))
    }

    func disconnect() {
        state.withLock { $0.isConnected = false }
        delegate.client(identity, noticed: .disconnected(nil))
    }

    /// Passes a message on if a subscription matches it, and returns whether it may be acknowledged; nil if none does.
    package func receive(_ message: Message) -> Bool? {
        guard subscriptions.contains(where: { Self.matches($0.filter, message.topic) }) else { return nil }
        let decision = delegate.client(identity, received: [message])
        delegate.clientWroteAcknowledgements(identity)
        return decision == .acknowledge
    }

    /// Whether a filter without a shared subscription matches a topic (MQTT 5, section 4.7).
    private static func matches(_ filter: String, _ topic: String) -> Bool {
        let filters = filter.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let levels = topic.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let begins = filters[0].elementsEqual("#".utf8) || filters[0].elementsEqual("+".utf8)
        if begins, topic.utf8.first == UInt8(ascii: "$") { return false }
        for (position, part) in filters.enumerated() {
            if part.elementsEqual("#".utf8) { return true }
            guard position < levels.count else { return false }
            guard part.elementsEqual("+".utf8) || part.elementsEqual(levels[position]) else { return false }
        }
        return filters.count == levels.count
    }

    private func publish(_ publication: Publication) {
        let refusal = state.withLock { state -> ReasonCode? in
            if state.refusal == nil { state.published.append(publication.message) }
            return state.refusal
        }
        guard let refusal else {
            publication.completion?(.success(.success))
            return
        }
        let topic = publication.message.topic
        publication.completion?(.failure(ClientError(.rejected, operation: "publish to \"\(topic)\"", reason: refusal)))
    }

    // MARK: BrokerClient

    /// Whether ``run()`` was called: a ``TestBridge`` does not run.
    package var hasRun: Bool { state.withLock { $0.hasRun } }

    /// Is connected until the task is cancelled.
    package func run() async throws {
        state.withLock { $0.hasRun = true }
        connect()
        for await _ in AsyncStream<Never>.makeStream().stream {}
        disconnect()
    }

    package func enqueue(
        checked message: consuming Message,
        completion: (@Sendable (Result<ReasonCode, ClientError>) -> Void)?
    ) throws(ClientError) {
        let publication = Publication(message: message, completion: completion)
        let isConnected = state.withLock { state in
            if !state.isConnected { state.waiting.append(publication) }
            return state.isConnected
        }
        if isConnected { publish(publication) }
    }

    package func resubscribe(adding requests: [SubscriptionRequest], ending filters: [String]) {
        let isConnected = state.withLock { state in
            let replaced = Set(filters + requests.map(\.filter))
            state.subscriptions.removeAll { replaced.contains($0.filter) }
            state.subscriptions += requests
            return state.isConnected
        }
        if isConnected { answerSubscriptions() }
    }

    package func waitForRoom(for message: Message) async throws {}
    package func hold() {}
    package func resume() {}
    package func limitDrain(until deadline: ContinuousClock.Instant) {}
    package var abandoned: Int { 0 }
}
