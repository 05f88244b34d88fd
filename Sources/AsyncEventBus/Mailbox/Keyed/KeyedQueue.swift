import DequeModule

/// The queue of a mailbox: elements are ready, held back by an earlier element of their key, or resting between two
/// attempts.
///
/// Of each key at most one element is ready, running or resting; the others are held, in order. Elements without a key
/// are ready in order. Pure.
struct KeyedQueue<Element: Sized>: WaitingLine {
    /// An element and its attributes in the queue.
    struct Item: Sendable {
        var element: Element
        let key: String?
        let standing: Standing
        /// The size in bytes, 0 if the element takes up no room.
        let size: Int
        /// The position in the order of arrival.
        fileprivate(set) var number: UInt64 = 0

        fileprivate var isDisplaceable: Bool { standing == .displaceable }

        fileprivate init(_ element: Element, key: String?, size: Int, _ standing: Standing) {
            self.element = element
            self.key = key
            self.size = size
            self.standing = standing
        }
    }

    private enum Place {
        case ready(Int)
        case held(String, Int)
        case resting(UInt64)
    }

    /// Whether a resting element without a key holds up all later elements.
    private let isSerial: Bool
    private var ready = Deque<Item>()
    private var held: [String: Deque<Item>] = [:]
    private var resting: [UInt64: Item] = [:]
    private var busyKeys: Set<String> = []
    private var isHeldUp = false
    private var nextNumber: UInt64 = 0
    private var nextToken: UInt64 = 0
    private var displaced: UInt64 = 0

    private(set) var count = 0
    private(set) var ordinary = Load()
    private(set) var sent = Load()

    init(isSerial: Bool) {
        self.isSerial = isSerial
    }

    var canRun: Bool { !ready.isEmpty && !isHeldUp }

    /// Iterates over the keys of waiting elements.
    var look: (progress: ListenerLook.Progress, isHeldUp: Bool) {
        // A resting element was taken out and has come back: the tokens count these returns.
        let taken = ListenerLook.Progress.taken(nextNumber &- UInt64(count) &- displaced &+ nextToken)
        guard ready.isEmpty else { return (taken, true) }
        // The first element of such a key runs, since none is ready and it does not rest.
        let resting = Set(resting.values.compactMap(\.key))
        let oldest = held.lazy.filter { !resting.contains($0.key) }.compactMap(\.value.first?.number).min()
        return oldest.map { (.held($0), true) } ?? (taken, false)
    }

    mutating func append(_ element: Element, key: String?, size: Int, _ standing: Standing) {
        var item = Item(element, key: key, size: size, standing)
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

    mutating func append(contentsOf elements: [Element], bytes limit: Int) -> Bool { false }

    /// Removes the element that runs next. Its key, if any, is busy until its release.
    mutating func popReady() -> Item? {
        guard !isHeldUp, let item = ready.popFirst() else { return nil }
        removed(item)
        return item
    }

    /// The element of `key` has run or was displaced: the next one of that key may run.
    mutating func release(_ key: String) {
        guard let position = held.index(forKey: key) else {
            busyKeys.remove(key)
            return
        }
        ready.append(held.values[position].removeFirst())
        if held.values[position].isEmpty { held.remove(at: position) }
    }

    /// An element returns to rest after a run. Returns the token of the rest.
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
            // Behind untried elements, so that failing elements do not keep them from running.
            if item.key == nil {
                item.number = nextNumber
                nextNumber += 1
            }
            ready.append(item)
        }
        return true
    }

    mutating func removeOldest(preferring key: String?) -> DisplacedElement<Element>? {
        guard ordinary.count > sent.count else { return nil }
        guard let place = key.flatMap(oldest(of:)) ?? oldest() else { return nil }
        displaced += 1
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
            return DisplacedElement(element: item.element, rest: token)
        }
        removed(item)
        return DisplacedElement(element: item.element, rest: nil)
    }

    /// Busy keys stay busy until their release.
    mutating func removeAll() -> (elements: [Element], rests: [UInt64]) {
        // Not `Array(ready)`: for an empty deque that writes to the storage shared by all empty arrays.
        let all = [ready.map { $0 }, held.values.flatMap { $0.map { $0 } }, resting.values.map { $0 }].joined()
        let result = (all.map(\.element), Array(resting.keys))
        ready.removeAll()
        held.removeAll()
        resting.removeAll()
        isHeldUp = false
        (count, ordinary, sent) = (0, Load(), Load())
        return result
    }

    mutating func removeAll(where isMeant: (Element) -> Bool) -> (elements: [Element], rests: [UInt64]) {
        var taken: [Item] = []
        // Held elements of a key first: a remaining one replaces the first of its key.
        for key in Array(held.keys) {
            let items = held[key] ?? []
            taken += items.filter { isMeant($0.element) }
            let rest = items.filter { !isMeant($0.element) }
            held[key] = rest.isEmpty ? nil : rest
        }
        let rests = resting.filter { isMeant($0.value.element) }
        for (token, item) in rests {
            resting[token] = nil
            if item.key == nil { isHeldUp = false }
        }
        let first = ready.filter { isMeant($0.element) } + rests.values
        ready = ready.filter { !isMeant($0.element) }
        for item in first { if let key = item.key { release(key) } }
        taken += first
        for item in taken { removed(item) }
        return (taken.map(\.element), Array(rests.keys))
    }

    private func oldest(of key: String) -> Place? {
        // A resting or ready element is the first of its key.
        if let token = resting.first(where: { $0.value.key == key && $0.value.isDisplaceable })?.key {
            return .resting(token)
        }
        if let position = ready.firstIndex(where: { $0.key == key && $0.isDisplaceable }) { return .ready(position) }
        return held[key].flatMap(Self.firstDisplaceable).map { .held(key, $0) }
    }

    private func oldest() -> Place? {
        // Without keys, ready elements are in the order of their numbers.
        let isOrdered = busyKeys.isEmpty
        let firstReady =
            isOrdered
            ? Self.firstDisplaceable(in: ready)
            : ready.indices.filter { ready[$0].isDisplaceable }.min { ready[$0].number < ready[$1].number }
        var found = firstReady.map { (place: Place.ready($0), number: ready[$0].number) }
        for (key, items) in held {
            guard let position = Self.firstDisplaceable(in: items) else { continue }
            if let known = found, known.number < items[position].number { continue }
            found = (.held(key, position), items[position].number)
        }
        for (token, item) in resting where item.isDisplaceable {
            if let known = found, known.number < item.number { continue }
            found = (.resting(token), item.number)
        }
        return found?.place
    }

    private static func firstDisplaceable(in items: Deque<Item>) -> Int? { items.firstIndex(where: \.isDisplaceable) }

    private mutating func added(_ item: Item) {
        count += 1
        if item.standing.takesRoom { ordinary.add(1, item.size) }
        if item.standing == .sent { sent.add(1, item.size) }
    }

    private mutating func removed(_ item: Item) {
        count -= 1
        if item.standing.takesRoom { ordinary.add(-1, -item.size) }
        if item.standing == .sent { sent.add(-1, -item.size) }
    }
}
