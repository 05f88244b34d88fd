internal import Dispatch
internal import Locking
internal import Logging
internal import Mosquitto

/// Sees what the daemon publishes, as a client whose session the broker keeps.
final class Receiver: Sendable {
    private let ended = DispatchSemaphore(value: 0)
    private let running: Locked<Task<Void, Never>?>
    private let listener: Listener

    /// Returns once it is subscribed.
    init(port: Int, ledger: Ledger, filters: [String] = ["out/#"]) throws {
        var options = ClientOptions(clientID: "torture-receiver")
        options.sessionExpiry = .seconds(3_600)
        let listener = Listener(ledger: ledger)
        let client = try Client(
            brokers: [BrokerURL("mqtt://127.0.0.1:\(port)")],
            options: options,
            subscriptions: filters.map { SubscriptionRequest($0) },
            delegate: listener,
            logger: Logger(label: "torture") { _ in SwiftLogNoOpLogHandler() }
        )
        self.listener = listener
        let ended = ended
        // One for each receiver; `end` cancels and awaits it.
        let task = Task {
            try? await client.run()
            ended.signal()
        }
        running = Locked(task)
        guard listener.subscribed.wait(timeout: .now() + 10) == .success else {
            end()
            throw Failure("the receiver could not subscribe within 10 s")
        }
    }

    /// How many messages came on topics below `will/`.
    var wills: Int { listener.wills.withLock { $0 } }

    /// Disconnects, and waits until that is done. Again, it does nothing.
    func end() {
        guard let task = running.withLock({ $0.take() }) else { return }
        task.cancel()
        ended.wait()
    }

    private final class Listener: ClientDelegate {
        let ledger: Ledger
        let subscribed = DispatchSemaphore(value: 0)
        let wills = Locked(0)

        init(ledger: Ledger) {
            self.ledger = ledger
        }

        func client(received messages: [Message]) -> Intake {
            for message in messages {
                if message.topic.hasPrefix("will/") {
                    wills.withLock { $0 += 1 }
                    continue
                }
                let text = String(decoding: message.payload, as: UTF8.self)
                ledger.saw(.init(Parcel(payload: text), identity: message.properties[user: "bridgeid"]))
            }
            return .acknowledge
        }

        func client(noticed event: ClientEvent) {
            if case .subscribed = event { subscribed.signal() }
        }
    }
}
