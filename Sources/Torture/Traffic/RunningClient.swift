internal import Dispatch
internal import Locking
internal import Logging
internal import Mosquitto

/// A client of the test that runs until `end()`.
final class RunningClient: Sendable {
    let client: Client
    private let ended = DispatchSemaphore(value: 0)
    private let running: Locked<Task<Void, Never>?>
    private let ending: Locked<String?>

    init(
        port: Int,
        options: ClientOptions,
        subscriptions: [SubscriptionRequest] = [],
        delegate: some ClientDelegate
    ) throws {
        let client = try Client(
            brokers: [BrokerURL("mqtt://127.0.0.1:\(port)")],
            options: options,
            subscriptions: subscriptions,
            delegate: delegate,
            logger: Logger(label: "torture") { _ in SwiftLogNoOpLogHandler() }
        )
        let (ended, ending) = (ended, Locked<String?>(nil))
        // One for each client; `end` cancels and awaits it.
        let task = Task {
            do {
                try await client.run()
            } catch {
                ending.withLock { $0 = "\(error)" }
            }
            ended.signal()
        }
        (self.client, running, self.ending) = (client, Locked(task), ending)
    }

    /// The error with which the client has ended; nil if there is none.
    var failure: String? { ending.withLock { $0 } }

    /// Disconnects and waits until that is done. A second call does nothing.
    func end() {
        guard let task = running.withLock({ $0.take() }) else { return }
        task.cancel()
        ended.wait()
    }
}
