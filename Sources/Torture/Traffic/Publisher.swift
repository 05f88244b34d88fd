internal import Foundation
internal import Glibc
internal import Locking
internal import Logging
internal import Mosquitto

/// Publishes messages of the test to the broker at QoS 1 and a given rate, as any device would.
///
/// A message stands in the ledger before it is published, and is promised from the broker's acknowledgement on.
final class Publisher: Sendable {
    /// The most messages that wait for their acknowledgement: when the broker is away, publishing waits.
    private static let window = 1_000
    /// The source of the ids that it gives, as another bridge would.
    static let source = "torture-publisher"

    private struct State {
        var isEnded = false
        var isPublishing = true
        var unacknowledged = 0
        var refused = 0
    }

    /// What it publishes.
    struct Load: Sendable {
        /// Messages a second.
        var rate: Int
        /// The size of each payload in bytes, or as much as the number of the message takes.
        var size = 0
        /// How many are published before it ends by itself.
        var limit = Int.max
        /// What a message's expiry says, if it has one.
        var expiry: Duration?
    }

    private let client: Client
    private let ledger: Ledger
    private let state = Locked(State())
    private let threadEnded = DispatchSemaphore(value: 0)
    private let clientEnded = DispatchSemaphore(value: 0)
    private let running: Locked<Task<Void, Never>?>
    private let ending: Locked<String?>

    init(port: Int, ledger: Ledger, load: Load) throws {
        var options = ClientOptions(clientID: "torture-publisher")
        options.inFlightWindow = 200
        options.queueBytes = 1 << 30
        self.ledger = ledger
        let client = try Client(
            brokers: [BrokerURL("mqtt://127.0.0.1:\(port)")],
            options: options,
            delegate: Listener(),
            logger: Logger(label: "torture") { _ in SwiftLogNoOpLogHandler() }
        )
        self.client = client
        let clientEnded = clientEnded
        let ending = Locked<String?>(nil)
        // One for each publisher; `end` cancels and awaits it.
        let task = Task {
            do {
                try await client.run()
            } catch {
                ending.withLock { $0 = "\(error)" }
            }
            clientEnded.signal()
        }
        running = Locked(task)
        self.ending = ending
        Thread.detachNewThread { [self] in
            publish(load)
            threadEnded.signal()
        }
    }

    /// Whether messages are published; what was published stays.
    var isPublishing: Bool {
        get { state.withLock { $0.isPublishing } }
        set { state.withLock { $0.isPublishing = newValue } }
    }

    /// Why its connection was given up, if it was.
    var failure: String? { ending.withLock { $0 } }
    /// How many messages the broker has not acknowledged yet.
    var unacknowledged: Int { state.withLock { $0.unacknowledged } }
    /// How many the broker refused.
    var refused: Int { state.withLock { $0.refused } }

    /// Publishes no more, and disconnects; waits until that is done. Again, it does nothing.
    func end() {
        guard let task = running.withLock({ $0.take() }) else { return }
        state.withLock { $0.isEnded = true }
        threadEnded.wait()
        task.cancel()
        clientEnded.wait()
    }

    /// Publishes one message outside the ledger, and waits until the broker has acknowledged it.
    func publishSingle(_ payload: [UInt8], name: String) throws {
        let answer = Locked<Bool?>(nil)
        let message = Message(topic: "in/single/\(name)", payload: payload, qos: .atLeastOnce)
        let answered = DispatchSemaphore(value: 0)
        try client.enqueue(message) { result in
            answer.withLock { $0 = (try? result.get()) != nil }
            answered.signal()
        }
        _ = answered.wait(timeout: .now() + 30)
        guard answer.withLock({ $0 }) == true else {
            throw Failure("the broker did not take a message of \(payload.count) bytes")
        }
    }

    private func publish(_ load: Load) {
        var pace = Pace(rate: load.rate)
        var published = 0
        while published < load.limit {
            let (isEnded, isPublishing, waiting) = state.withLock { ($0.isEnded, $0.isPublishing, $0.unacknowledged) }
            if isEnded { return }
            let due = pace.due(isRunning: isPublishing)
            for _ in 0..<max(0, min(due, Self.window - waiting, load.limit - published)) {
                publishNext(published, load)
                published += 1
                pace.took(1)
            }
            usleep(2_000)
        }
    }

    private func publishNext(_ number: Int, _ load: Load) {
        let parcel = ledger.next(key: number % ledger.keys)
        let message = Message(
            topic: "in/k\(parcel.key)",
            payload: Array(parcel.payload(size: load.size).utf8),
            qos: .atLeastOnce,
            properties: MessageProperties(
                expiry: load.expiry,
                userProperties: [.init("bridgeid", "\(Self.source)/\(parcel.key)-\(parcel.number)")]
            )
        )
        state.withLock { $0.unacknowledged += 1 }
        do {
            try client.enqueue(message) { [self] result in
                if case .success = result { ledger.promise(parcel) }
                done(isRefused: (try? result.get()) == nil)
            }
        } catch {
            done(isRefused: true)
        }
    }

    private func done(isRefused: Bool) {
        state.withLock { state in
            state.unacknowledged -= 1
            if isRefused { state.refused += 1 }
        }
    }

    private struct Listener: ClientDelegate {
        func client(received messages: [Message]) -> Intake { .acknowledge }
        func client(noticed event: ClientEvent) {}
    }
}

/// Spreads messages evenly over time, and catches up by at most a tenth of a second.
struct Pace {
    private let rate: Double
    private var last = ContinuousClock.now
    private var credit = 0.0

    init(rate: Int) {
        self.rate = Double(rate)
    }

    /// How many are due now.
    mutating func due(isRunning: Bool) -> Int {
        let now = ContinuousClock.now
        if isRunning { credit = min(credit + (now - last).inSeconds * rate, max(1, rate / 10)) }
        last = now
        return isRunning ? Int(credit) : 0
    }

    mutating func took(_ count: Int) { credit -= Double(count) }
}
