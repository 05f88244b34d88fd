internal import FaultKit
internal import Foundation
internal import Glibc
internal import Locking
internal import Mosquitto

/// Publishes test messages at QoS 1 and a given rate, like a device, to one broker or each message to several.
///
/// A message is entered into the ledgers before it is published, and promised once all brokers have acknowledged it.
final class Publisher: Sendable {
    /// The most unacknowledged messages: publishing pauses while a broker is away.
    private static let window = 1_000
    /// The source in the ids that the publisher assigns, like another bridge.
    static let source = "torture-publisher"

    private struct State {
        var isEnded = false
        var isPublishing = true
        var unacknowledged = 0
        var refused = 0
    }

    /// The messages to publish.
    struct Load: Sendable {
        /// Messages per second.
        var rate: Int
        /// The size of each payload in bytes; a payload is longer if the number of the message needs more.
        var size = 0
        /// The number of messages after which publishing ends.
        var limit = Int.max
        /// The expiry of each message; nil for none.
        var expiry: Duration?
        /// Returns the topic of a key.
        var topic: @Sendable (Int) -> String = { "in/k\($0)" }
    }

    private let clients: [RunningClient]
    private let ledgers: [Ledger]
    private let state = Locked(State())
    private let threadEnded = DispatchSemaphore(value: 0)

    /// - Parameters:
    ///   - ports: The ports of the brokers to which each message goes.
    ///   - ledgers: At least one. All of them get the same messages.
    init(ports: [Int], ledgers: [Ledger], load: Load) throws {
        var options = ClientOptions(clientID: "torture-publisher")
        options.limits.inFlightWindow = 200
        options.limits.queueBytes = 1 << 30
        self.ledgers = ledgers
        clients = try ports.map { try RunningClient(port: $0, options: options, delegate: Listener()) }
        Thread.detachNewThread { [self] in
            publish(load)
            threadEnded.signal()
        }
    }

    /// Whether the publisher publishes messages.
    var isPublishing: Bool {
        get { state.withLock { $0.isPublishing } }
        set { state.withLock { $0.isPublishing = newValue } }
    }

    /// The reason why a client has ended; nil if none has.
    var failure: String? { clients.lazy.compactMap(\.failure).first }
    /// The number of messages that a broker has not acknowledged yet.
    var unacknowledged: Int { state.withLock { $0.unacknowledged } }
    /// The number of messages that a broker refused.
    var refused: Int { state.withLock { $0.refused } }

    /// Stops publishing, disconnects and waits until that is done. A second call does nothing.
    func end() {
        state.withLock { $0.isEnded = true }
        threadEnded.wait()
        threadEnded.signal()
        for client in clients { client.end() }
    }

    /// Publishes one message outside the ledgers and waits until the broker has acknowledged it.
    func publishSingle(_ payload: [UInt8], name: String) throws {
        let answer = Locked<Bool?>(nil)
        let message = Message(topic: "in/single/\(name)", payload: payload, qos: .atLeastOnce)
        let answered = DispatchSemaphore(value: 0)
        try clients[0].client.enqueue(message) { result in
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
        let testMessages = ledgers.map { $0.next(key: number % ledgers[0].keys) }
        let testMessage = testMessages[0]
        let identity = MessageProperties.UserProperty(
            "bridgeid",
            "\(Self.source)/\(testMessage.key)-\(testMessage.number)"
        )
        let message = Message(
            topic: load.topic(testMessage.key),
            payload: Array(testMessage.payload(size: load.size).utf8),
            qos: .atLeastOnce,
            properties: MessageProperties(
                expiry: load.expiry,
                userProperties: [identity]
            )
        )
        state.withLock { $0.unacknowledged += 1 }
        let owed = Locked((answers: clients.count, isTaken: true))
        // Each of two brokers is the first one for half of the messages.
        for client in number.isMultiple(of: 2) ? clients : clients.reversed() {
            do {
                try client.client.enqueue(message) { [self] result in
                    answered(testMessage, (try? result.get()) != nil, owed)
                }
            } catch {
                answered(testMessage, false, owed)
            }
        }
    }

    /// Records that a broker has acknowledged or refused a message.
    private func answered(_ testMessage: TestMessage, _ isTaken: Bool, _ owed: Locked<(answers: Int, isTaken: Bool)>) {
        let (answers, areTaken) = owed.withLock { owed in
            owed.answers -= 1
            owed.isTaken = owed.isTaken && isTaken
            return owed
        }
        guard answers == 0 else { return }
        if areTaken { for ledger in ledgers { ledger.promise(testMessage) } }
        state.withLock { state in
            state.unacknowledged -= 1
            if !areTaken { state.refused += 1 }
        }
    }

    private struct Listener: ClientDelegate {
        func client(_ client: Client, received messages: [Message]) -> ReceiveDecision { .acknowledge }
        func client(_ client: Client, noticed event: ClientEvent) {}
    }
}

/// Spreads messages evenly over time; catches up by at most a tenth of a second.
struct Pace {
    private let rate: Double
    private var last = ContinuousClock.now
    private var credit = 0.0

    init(rate: Int) {
        self.rate = Double(rate)
    }

    /// Returns the number of messages that are due now.
    mutating func due(isRunning: Bool) -> Int {
        let now = ContinuousClock.now
        if isRunning { credit = min(credit + (now - last).inSeconds * rate, max(1, rate / 10)) }
        last = now
        return isRunning ? Int(credit) : 0
    }

    mutating func took(_ count: Int) { credit -= Double(count) }
}
