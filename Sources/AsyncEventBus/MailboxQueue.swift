import DequeModule

/// What waits in a mailbox: ready to run, held back by an earlier element of its key, or resting between two attempts.
///
/// Of one key at most one element is ready, running or resting; the others are held, in order. Without a key, elements
/// are ready in order. Pure.
struct MailboxQueue<Element: Sendable>: Sendable {
    /// An element, and where it belongs.
    struct Item: Sendable {
        var element: Element
        let key: String?
        /// Whether it stays whatever else comes, and takes up no room.
        let isKept: Bool
        /// Its place in the order of arrival.
        fileprivate(set) var number: UInt64 = 0

        init(_ element: Element, key: String?, isKept: Bool = false) {
            self.element = element
            self.key = key
            self.isKept = isKept
        }
    }

    private enum Place {
        case ready(Int)
        case held(String, Int)
        case resting(UInt64)
    }

    /// Whether an element without a key holds up all that come after it while it rests.
    private let isSerial: Bool
    private var ready = Deque<Item>()
    private var held: [String: Deque<Item>] = [:]
    private var resting: [UInt64: Item] = [:]
    private var busyKeys: Set<String> = []
    private var isHeldUp = false
    private var nextNumber: UInt64 = 0
    private var nextToken: UInt64 = 0

    /// How many elements wait.
    private(set) var count = 0
    /// How many of them take up room.
    private(set) var countOfOrdinary = 0

    init(isSerial: Bool) {
        self.isSerial = isSerial
    }

    /// Whether there is an element that may run now.
    var canRun: Bool { !ready.isEmpty && !isHeldUp }

    mutating func append(_ item: Item) {
        var item = item
        item.number = nextNumber
        nextNumber += 1
        added(item)
        guard let key = item.key else {
            ready.append(item)
            return
        }
        if busyKeys.insert(key).inserted {
            ready.append(item)
        } else {
            held[key, default: []].append(item)
        }
    }

    /// Takes out what runs next. Its key, if it has one, is busy until it is released.
    mutating func popReady() -> Item? {
        guard !isHeldUp, let item = ready.popFirst() else { return nil }
        removed(item)
        return item
    }

    /// The element of `key` that ran, or was displaced, is out of the way: the next one of that key may run.
    mutating func release(_ key: String) {
        guard let position = held.index(forKey: key) else {
            busyKeys.remove(key)
            return
        }
        ready.append(held.values[position].removeFirst())
        if held.values[position].isEmpty { held.remove(at: position) }
    }

    /// An element that ran comes back to rest. Returns what names this rest.
    mutating func rest(_ item: Item) -> UInt64 {
        defer { nextToken += 1 }
        added(item)
        resting[nextToken] = item
        isHeldUp = isSerial && item.key == nil
        return nextToken
    }

    func isResting(_ token: UInt64) -> Bool { resting[token] != nil }

    /// A rest is over: the element may run again. Returns whether it still rested.
    mutating func wake(_ token: UInt64) -> Bool {
        guard var item = resting.removeValue(forKey: token) else { return false }
        if isHeldUp {
            isHeldUp = false
            ready.prepend(item)
        } else {
            // Behind what has not been tried yet, so that elements that fail do not keep the others from running.
            if item.key == nil {
                item.number = nextNumber
                nextNumber += 1
            }
            ready.append(item)
        }
        return true
    }

    /// Takes out what has waited longest, resting or not: of `key` if one of that key waits, else of all. Never what
    /// is kept.
    mutating func removeOldest(preferring key: String?) -> (item: Item, rest: UInt64?)? {
        guard let place = key.flatMap(oldest(of:)) ?? oldest() else { return nil }
        let item: Item
        switch place {
        case .ready(let position):
            item = ready.remove(at: position)
            if let key = item.key { release(key) }
        case .held(let key, let position):
            guard let index = held.index(forKey: key) else { return nil }
            item = held.values[index].remove(at: position)
            if held.values[index].isEmpty { held.remove(at: index) }
        case .resting(let token):
            guard let rested = resting.removeValue(forKey: token) else { return nil }
            item = rested
            isHeldUp = false
            if let key = item.key { release(key) }
            removed(item)
            return (item, token)
        }
        removed(item)
        return (item, nil)
    }

    /// Takes out everything. Keys that are busy stay so until they are released.
    mutating func removeAll() -> (elements: [Element], rests: [UInt64]) {
        // Not `Array(ready)`: of an empty deque that writes to the storage which all empty arrays share.
        let all = [ready.map { $0 }, held.values.flatMap { $0.map { $0 } }, resting.values.map { $0 }].joined()
        let result = (all.map(\.element), Array(resting.keys))
        ready.removeAll()
        held.removeAll()
        resting.removeAll()
        isHeldUp = false
        (count, countOfOrdinary) = (0, 0)
        return result
    }

    private func oldest(of key: String) -> Place? {
        // What rests or is ready is the first of its key.
        if let token = resting.first(where: { $0.value.key == key && !$0.value.isKept })?.key { return .resting(token) }
        if let position = ready.firstIndex(where: { $0.key == key && !$0.isKept }) { return .ready(position) }
        return held[key].flatMap(Self.firstOrdinary).map { .held(key, $0) }
    }

    private func oldest() -> Place? {
        // Without keys, the elements that are ready are in the order of their numbers.
        let isOrdered = busyKeys.isEmpty
        let firstReady =
            isOrdered
            ? Self.firstOrdinary(in: ready)
            : ready.indices.filter { !ready[$0].isKept }.min { ready[$0].number < ready[$1].number }
        var found = firstReady.map { (place: Place.ready($0), number: ready[$0].number) }
        for (key, items) in held {
            guard let position = Self.firstOrdinary(in: items) else { continue }
            if let known = found, known.number < items[position].number { continue }
            found = (.held(key, position), items[position].number)
        }
        for (token, item) in resting where !item.isKept {
            if let known = found, known.number < item.number { continue }
            found = (.resting(token), item.number)
        }
        return found?.place
    }

    private static func firstOrdinary(in items: Deque<Item>) -> Int? { items.firstIndex { !$0.isKept } }

    private mutating func added(_ item: Item) {
        count += 1
        countOfOrdinary += item.isKept ? 0 : 1
    }

    private mutating func removed(_ item: Item) {
        count -= 1
        countOfOrdinary -= item.isKept ? 0 : 1
    }
}
