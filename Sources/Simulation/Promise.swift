/// The expected and the observed deliveries of a history: no loss, recognisable duplicates, order for each key.
struct Promise {
    /// A test message, identified by its payload.
    struct TestMessage: Hashable, CustomStringConvertible {
        let key: Int
        let number: Int

        var description: String { "\(key)-\(number)" }

        init(key: Int, number: Int) {
            self.key = key
            self.number = number
        }

        init?(_ text: String) {
            let parts = text.split(separator: "-").compactMap { Int($0) }
            guard parts.count == 2 else { return nil }
            self.init(key: parts[0], number: parts[1])
        }
    }

    private struct Sighting {
        let identity: String
        /// The number of faults so far that permit a duplicate; nil if duplicates are always permitted.
        let mishaps: Int?
    }

    /// The expected and the observed deliveries of one receiver.
    private struct Ledger {
        var promised: Set<TestMessage> = []
        var seen: [TestMessage: Sighting] = [:]
        var latest: [Int: Int] = [:]
        var keepsOrder = true
        /// Whether duplicates have the same identity.
        var knowsIdentity = true
        /// How often the receiver failed at a message. A message that failed may be redelivered out of order.
        var refusals: [TestMessage: Int] = [:]
        /// The messages that the store records as finished by the receiver.
        var finished: Set<TestMessage> = []
        /// The messages that the receiver need not get.
        var excused: Set<TestMessage> = []

        /// Records a delivery, and returns the guarantee that it violates, if any.
        mutating func see(_ testMessage: TestMessage, _ sighting: Sighting) -> String? {
            guard let known = seen.updateValue(sighting, forKey: testMessage) else { return place(testMessage) }
            seen[testMessage] = known
            guard knowsIdentity else { return nil }
            if known.identity != sighting.identity { return "twice, as \(known.identity) and as \(sighting.identity)" }
            if let mishaps = sighting.mishaps, mishaps == known.mishaps {
                return "twice, though nothing had gone wrong"
            }
            return finished.contains(testMessage) ? "again, though the store knew that it was done with" : nil
        }

        /// Records the first delivery of a message, and checks its order.
        private mutating func place(_ testMessage: TestMessage) -> String? {
            let last = latest[testMessage.key] ?? testMessage.number
            latest[testMessage.key] = max(last, testMessage.number)
            guard keepsOrder, refusals[testMessage] == nil, last > testMessage.number else { return nil }
            return "after \(testMessage.key)-\(last)"
        }
    }

    private var ledgers: [String: Ledger] = [:]
    /// The violated guarantees.
    private(set) var breaches: [String] = []

    /// Expects at least one delivery of a message to a receiver.
    mutating func promise(_ testMessage: TestMessage, to receiver: String) {
        ledgers[receiver, default: Ledger()].promised.insert(testMessage)
    }

    /// Records the delivery of a message to a receiver.
    ///
    /// - Parameter mishaps: The number of faults so far that permit a duplicate; nil if duplicates are always permitted.
    mutating func see(_ testMessage: TestMessage, identity: String, at receiver: String, mishaps: Int? = nil) {
        let sighting = Sighting(identity: identity, mishaps: mishaps)
        if let breach = ledgers[receiver, default: Ledger()].see(testMessage, sighting) {
            breaches.append("\(receiver) got \(testMessage) \(breach)")
        }
    }

    /// Records that a receiver failed at a message.
    mutating func refuse(_ testMessage: TestMessage, at receiver: String) {
        ledgers[receiver, default: Ledger()].refusals[testMessage, default: 0] += 1
    }

    /// Records that the store has marked a message as finished by a receiver.
    mutating func finish(_ testMessage: TestMessage, at receiver: String) {
        ledgers[receiver, default: Ledger()].finished.insert(testMessage)
    }

    /// Excuses the loss of a message at a receiver.
    mutating func excuse(_ testMessage: TestMessage, at receiver: String) {
        ledgers[receiver, default: Ledger()].excused.insert(testMessage)
    }

    /// Stops checking the order at these receivers.
    mutating func losesOrder(at receivers: [String]) {
        for receiver in receivers { ledgers[receiver, default: Ledger()].keepsOrder = false }
    }

    /// Stops checking duplicates at these receivers, which cannot distinguish them from new messages.
    mutating func overlooksIdentity(at receivers: [String]) {
        for receiver in receivers { ledgers[receiver, default: Ledger()].knowsIdentity = false }
    }

    mutating func breach(_ text: String) { breaches.append(text) }

    func isPromised(_ testMessage: TestMessage, to receiver: String) -> Bool {
        ledgers[receiver]?.promised.contains(testMessage) ?? false
    }

    /// Returns how often a receiver has failed at a message.
    func refusals(of testMessage: TestMessage, at receiver: String) -> Int {
        ledgers[receiver]?.refusals[testMessage] ?? 0
    }

    func hasSeen(_ testMessage: TestMessage, at receiver: String) -> Bool {
        ledgers[receiver]?.seen[testMessage] != nil
    }

    /// Checks at the end that each expected message was delivered or excused.
    mutating func settle() {
        for (receiver, ledger) in ledgers.sorted(by: { $0.key < $1.key }) {
            let lost = ledger.promised.filter { ledger.seen[$0] == nil && !ledger.excused.contains($0) }
            guard !lost.isEmpty else { continue }
            let list = lost.sorted { ($0.key, $0.number) < ($1.key, $1.number) }.prefix(5).map(\.description)
            breaches.append("\(receiver) never got \(lost.count): \(list.joined(separator: ", "))")
        }
    }
}
