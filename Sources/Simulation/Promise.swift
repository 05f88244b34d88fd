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
        var identity: String
        var times = 1
    }

    /// What a receiver must get, and has got.
    private struct Ledger {
        var promised: Set<TestMessage> = []
        var seen: [TestMessage: Sighting] = [:]
        var latest: [Int: Int] = [:]
        var keepsOrder = true
        /// What the receiver was given, and did not take. Its place in the order was then.
        var refused: Set<TestMessage> = []
    }

    private var ledgers: [String: Ledger] = [:]
    /// What does not hold.
    private(set) var breaches: [String] = []

    /// A receiver must get a message at least once.
    mutating func promise(_ testMessage: TestMessage, to receiver: String) {
        ledgers[receiver, default: Ledger()].promised.insert(testMessage)
    }

    /// A receiver has got a message.
    mutating func see(_ testMessage: TestMessage, identity: String, at receiver: String) {
        var ledger = ledgers[receiver] ?? Ledger()
        defer { ledgers[receiver] = ledger }
        if var known = ledger.seen[testMessage] {
            known.times += 1
            if known.identity != identity {
                breaches.append("\(receiver) got \(testMessage) twice, as \(known.identity) and as \(identity)")
            }
            ledger.seen[testMessage] = known
            return
        }
        ledger.seen[testMessage] = Sighting(identity: identity)
        if ledger.keepsOrder, !ledger.refused.contains(testMessage), let latest = ledger.latest[testMessage.key],
            latest > testMessage.number
        {
            breaches.append("\(receiver) got \(testMessage) after \(testMessage.key)-\(latest)")
        }
        ledger.latest[testMessage.key] = max(ledger.latest[testMessage.key] ?? 0, testMessage.number)
    }

    /// A receiver was given a message, and has failed at it.
    mutating func refuse(_ testMessage: TestMessage, at receiver: String) {
        ledgers[receiver, default: Ledger()].refused.insert(testMessage)
    }

    /// From now on messages may come to these receivers in another order.
    mutating func losesOrder(at receivers: [String]) {
        for receiver in receivers { ledgers[receiver, default: Ledger()].keepsOrder = false }
    }

    mutating func breach(_ text: String) { breaches.append(text) }

    func isPromised(_ testMessage: TestMessage, to receiver: String) -> Bool {
        ledgers[receiver]?.promised.contains(testMessage) ?? false
    }

    func hasSeen(_ testMessage: TestMessage, at receiver: String) -> Bool {
        ledgers[receiver]?.seen[testMessage] != nil
    }

    /// Everything is over: what was promised must have come, but for what is excused.
    mutating func settle(excusing isExcused: (TestMessage, String) -> Bool) {
        for (receiver, ledger) in ledgers.sorted(by: { $0.key < $1.key }) {
            let lost = ledger.promised.filter { ledger.seen[$0] == nil && !isExcused($0, receiver) }
            guard !lost.isEmpty else { continue }
            let list = lost.sorted { ($0.key, $0.number) < ($1.key, $1.number) }.prefix(5).map(\.description)
            breaches.append("\(receiver) never got \(lost.count): \(list.joined(separator: ", "))")
        }
    }
}
