/// What was promised in a history, and what was seen of it: nothing lost, doubles recognisable, order for each key.
struct Promise {
    /// A message, by what it is about.
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
        /// How much had happened by then after which a message may come once more; nil if it always may.
        let mishaps: Int?
    }

    /// What a receiver must get, and has got.
    private struct Ledger {
        var promised: Set<TestMessage> = []
        var seen: [TestMessage: Sighting] = [:]
        var latest: [Int: Int] = [:]
        var keepsOrder = true
        /// Whether doubles have the same identity.
        var knowsIdentity = true
        /// How often the receiver was given a message, and did not take it. Its place in the order was then.
        var refusals: [TestMessage: Int] = [:]
        /// What the receiver was done with, in the store.
        var finished: Set<TestMessage> = []
        /// What the receiver need not get any more.
        var excused: Set<TestMessage> = []

        /// Returns what is wrong with a message that has come.
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

        /// The first time that a message has come.
        private mutating func place(_ testMessage: TestMessage) -> String? {
            let last = latest[testMessage.key] ?? testMessage.number
            latest[testMessage.key] = max(last, testMessage.number)
            guard keepsOrder, refusals[testMessage] == nil, last > testMessage.number else { return nil }
            return "after \(testMessage.key)-\(last)"
        }
    }

    private var ledgers: [String: Ledger] = [:]
    /// What does not hold.
    private(set) var breaches: [String] = []

    /// A receiver must get a message at least once.
    mutating func promise(_ testMessage: TestMessage, to receiver: String) {
        ledgers[receiver, default: Ledger()].promised.insert(testMessage)
    }

    /// A receiver has got a message.
    ///
    /// - Parameter mishaps: How much has happened after which a message may come once more; nil if it always may.
    mutating func see(_ testMessage: TestMessage, identity: String, at receiver: String, mishaps: Int? = nil) {
        let sighting = Sighting(identity: identity, mishaps: mishaps)
        if let breach = ledgers[receiver, default: Ledger()].see(testMessage, sighting) {
            breaches.append("\(receiver) got \(testMessage) \(breach)")
        }
    }

    /// A receiver was given a message, and has failed at it.
    mutating func refuse(_ testMessage: TestMessage, at receiver: String) {
        ledgers[receiver, default: Ledger()].refusals[testMessage, default: 0] += 1
    }

    /// The store knows that a receiver is done with a message.
    mutating func finish(_ testMessage: TestMessage, at receiver: String) {
        ledgers[receiver, default: Ledger()].finished.insert(testMessage)
    }

    /// A receiver need not get a message any more.
    mutating func excuse(_ testMessage: TestMessage, at receiver: String) {
        ledgers[receiver, default: Ledger()].excused.insert(testMessage)
    }

    /// From now on messages may come to these receivers in another order.
    mutating func losesOrder(at receivers: [String]) {
        for receiver in receivers { ledgers[receiver, default: Ledger()].keepsOrder = false }
    }

    /// Nothing in what these receivers get tells doubles apart from new messages.
    mutating func overlooksIdentity(at receivers: [String]) {
        for receiver in receivers { ledgers[receiver, default: Ledger()].knowsIdentity = false }
    }

    mutating func breach(_ text: String) { breaches.append(text) }

    func isPromised(_ testMessage: TestMessage, to receiver: String) -> Bool {
        ledgers[receiver]?.promised.contains(testMessage) ?? false
    }

    /// How often a receiver has failed at a message.
    func refusals(of testMessage: TestMessage, at receiver: String) -> Int {
        ledgers[receiver]?.refusals[testMessage] ?? 0
    }

    func hasSeen(_ testMessage: TestMessage, at receiver: String) -> Bool {
        ledgers[receiver]?.seen[testMessage] != nil
    }

    /// Everything is over: what was promised must have come, but for what is excused.
    mutating func settle() {
        for (receiver, ledger) in ledgers.sorted(by: { $0.key < $1.key }) {
            let lost = ledger.promised.filter { ledger.seen[$0] == nil && !ledger.excused.contains($0) }
            guard !lost.isEmpty else { continue }
            let list = lost.sorted { ($0.key, $0.number) < ($1.key, $1.number) }.prefix(5).map(\.description)
            breaches.append("\(receiver) never got \(lost.count): \(list.joined(separator: ", "))")
        }
    }
}
