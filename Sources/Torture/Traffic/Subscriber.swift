internal import Dispatch
internal import Locking
internal import Mosquitto

/// A client with a persistent session that records the messages of the daemon.
final class Subscriber: Sendable {
    private let running: RunningClient
    private let listener: Listener

    /// Connects; returns once the client is subscribed.
    init(port: Int, ledger: Ledger, filters: [String] = ["out/#"]) throws {
        var options = ClientOptions(clientID: "torture-receiver")
        options.session.expiry = .seconds(3_600)
        listener = Listener(ledger: ledger)
        let subscriptions = filters.map { SubscriptionRequest($0) }
        running = try RunningClient(port: port, options: options, subscriptions: subscriptions, delegate: listener)
        guard listener.subscribed.wait(timeout: .now() + 10) == .success else {
            end()
            throw Failure("the receiver could not subscribe within 10 s")
        }
    }

    /// The number of messages on topics below `will/`.
    var wills: Int { listener.wills.withLock { $0 } }

    /// The number of payloads that begin with ``TestMessage/foreign``.
    var foreigners: Int { listener.foreigners.withLock { $0 } }

    /// Disconnects and waits until that is done. A second call does nothing.
    func end() { running.end() }

    private final class Listener: ClientDelegate {
        let ledger: Ledger
        let subscribed = DispatchSemaphore(value: 0)
        let wills = Locked(0)
        let foreigners = Locked(0)

        init(ledger: Ledger) {
            self.ledger = ledger
        }

        func client(_ client: Client, received messages: [Message]) -> ReceiveDecision {
            for message in messages {
                if message.topic.hasPrefix("will/") {
                    wills.withLock { $0 += 1 }
                    continue
                }
                let text = String(decoding: message.payload, as: UTF8.self)
                if text.hasPrefix(TestMessage.foreign) {
                    foreigners.withLock { $0 += 1 }
                    continue
                }
                ledger.saw(.init(TestMessage(payload: text), identity: message.properties[user: "bridgeid"]))
            }
            return .acknowledge
        }

        func client(_ client: Client, noticed event: ClientEvent) {
            if case .subscribed = event { subscribed.signal() }
        }
    }
}
