/// What was promised in a history, and what was seen of it: nothing lost, doubles recognisable, order for each key.
struct Promise {
    /// A message, by what it is about.
    struct Parcel: Hashable, CustomStringConvertible {
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
        var promised: Set<Parcel> = []
        var seen: [Parcel: Sighting] = [:]
        var latest: [Int: Int] = [:]
        var keepsOrder = true
        /// What the receiver was given, and did not take. Its place in the order was then.
        var refused: Set<Parcel> = []
    }

    private var ledgers: [String: Ledger] = [:]
    /// What does not hold.
    private(set) var breaches: [String] = []

    /// A receiver must get a message at least once.
    mutating func promise(_ parcel: Parcel, to receiver: String) {
        ledgers[receiver, default: Ledger()].promised.insert(parcel)
    }

    /// A receiver has got a message.
    mutating func see(_ parcel: Parcel, identity: String, at receiver: String) {
        var ledger = ledgers[receiver] ?? Ledger()
        defer { ledgers[receiver] = ledger }
        if var known = ledger.seen[parcel] {
            known.times += 1
            if known.identity != identity {
                breaches.append("\(receiver) got \(parcel) twice, as \(known.identity) and as \(identity)")
            }
            ledger.seen[parcel] = known
            return
        }
        ledger.seen[parcel] = Sighting(identity: identity)
        if ledger.keepsOrder, !ledger.refused.contains(parcel), let latest = ledger.latest[parcel.key],
            latest > parcel.number
        {
            breaches.append("\(receiver) got \(parcel) after \(parcel.key)-\(latest)")
        }
        ledger.latest[parcel.key] = max(ledger.latest[parcel.key] ?? 0, parcel.number)
    }

    /// A receiver was given a message, and has failed at it.
    mutating func refuse(_ parcel: Parcel, at receiver: String) {
        ledgers[receiver, default: Ledger()].refused.insert(parcel)
    }

    /// From now on messages may come to these receivers in another order.
    mutating func losesOrder(at receivers: [String]) {
        for receiver in receivers { ledgers[receiver, default: Ledger()].keepsOrder = false }
    }

    mutating func breach(_ text: String) { breaches.append(text) }

    func isPromised(_ parcel: Parcel, to receiver: String) -> Bool {
        ledgers[receiver]?.promised.contains(parcel) ?? false
    }

    func hasSeen(_ parcel: Parcel, at receiver: String) -> Bool { ledgers[receiver]?.seen[parcel] != nil }

    /// Everything is over: what was promised must have come, but for what is excused.
    mutating func settle(excusing isExcused: (Parcel, String) -> Bool) {
        for (receiver, ledger) in ledgers.sorted(by: { $0.key < $1.key }) {
            let lost = ledger.promised.filter { ledger.seen[$0] == nil && !isExcused($0, receiver) }
            guard !lost.isEmpty else { continue }
            let list = lost.sorted { ($0.key, $0.number) < ($1.key, $1.number) }.prefix(5).map(\.description)
            breaches.append("\(receiver) never got \(lost.count): \(list.joined(separator: ", "))")
        }
    }
}
