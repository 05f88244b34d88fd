internal import Dispatch
internal import Locking
internal import Mosquitto

/// A client that publishes a scenario's messages outside every ledger, and keeps the last payload on each topic that it
/// receives.
final class Stranger: Sendable {
    private let running: RunningClient
    private let listener = Listener()
    private let waiting = Locked(0)

    /// Connects; returns once the client is subscribed.
    init(port: Int, name: String, filters: [String] = []) throws {
        var options = ClientOptions(clientID: name)
        options.limits.inFlightWindow = 200
        options.limits.queueCapacity = 1_000_000
        options.limits.queueBytes = 1 << 30
        let subscriptions = filters.map { SubscriptionRequest($0) }
        running = try RunningClient(port: port, options: options, subscriptions: subscriptions, delegate: listener)
        guard listener.subscribed.wait(timeout: .now() + 10) == .success else {
            end()
            throw Failure("\(name) could not subscribe within 10 s")
        }
    }

    /// The number of messages that the broker has not acknowledged yet.
    var unacknowledged: Int { waiting.withLock { $0 } }

    /// The last payload by topic.
    var heard: [String: String] { listener.heard.withLock { $0 } }

    /// Queues a message without waiting.
    func publish(_ message: Message) throws {
        waiting.withLock { $0 += 1 }
        do {
            try running.client.enqueue(message) { [waiting] _ in waiting.withLock { $0 -= 1 } }
        } catch {
            waiting.withLock { $0 -= 1 }
            throw error
        }
    }

    /// Disconnects and waits until that is done. A second call does nothing.
    func end() { running.end() }

    private final class Listener: ClientDelegate {
        let subscribed = DispatchSemaphore(value: 0)
        let heard = Locked<[String: String]>([:])

        func client(_ client: Client, received messages: [Message]) -> ReceiveDecision {
            heard.withLock { heard in
                for message in messages { heard[message.topic] = String(decoding: message.payload, as: UTF8.self) }
            }
            return .acknowledge
        }

        func client(_ client: Client, noticed event: ClientEvent) {
            if case .subscribed = event { subscribed.signal() }
        }
    }
}
