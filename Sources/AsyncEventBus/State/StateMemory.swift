import DequeModule

/// The latest values of a topic, bounded in number and in bytes. Pure.
///
/// It neither compares nor releases values, which may run a user's code: its owner has it behind a lock.
struct StateMemory<Value: Sendable>: Sendable {
    struct Entry {
        let value: Value
        let payload: Payload
        fileprivate let size: Int
        /// Of the latest change; see `changes`.
        fileprivate let number: UInt64
    }

    /// The outcome of a change.
    struct Outcome {
        /// The names that have changed, those that were forgotten among them.
        var changed: [String] = []
        /// The entries that are gone. To be released outside the lock.
        var removed: [Entry] = []
    }

    private var entries: [ExactText: Entry] = [:]
    /// All changes, the oldest first; one that is not the latest of its name is outdated.
    private var changes: Deque<(id: String, number: UInt64)> = []
    private var latestNumber: UInt64 = 0
    private var bytes = 0
    private(set) var forgotten: UInt64 = 0

    subscript(id: String) -> Entry? { entries[ExactText(id)] }

    var values: [String: Value] {
        Dictionary(entries.map { ($0.key.text, $0.value.value) }, uniquingKeysWith: { $1 })
    }

    /// The names with a value, the one that changed longest ago first.
    var order: [String] { changes.compactMap { isLatest($0) ? $0.id : nil } }

    /// Sets a value in place of a known one; nil if that is not the current one any more.
    mutating func set(_ id: String, _ value: Value, payload: Payload, size: Int, over known: Entry?) -> Outcome? {
        let key = ExactText(id)
        guard entries[key]?.number == known?.number else { return nil }
        latestNumber += 1
        bytes += size - (known?.size ?? 0)
        entries[key] = Entry(value: value, payload: payload, size: size, number: latestNumber)
        changes.append((id, latestNumber))
        var outcome = Outcome(changed: [id])
        forget(but: key, &outcome)
        return outcome
    }

    /// Removes a value.
    mutating func clear(_ id: String) -> Outcome {
        guard let entry = entries.removeValue(forKey: ExactText(id)) else { return Outcome() }
        bytes -= entry.size
        return Outcome(changed: [id], removed: [entry])
    }

    /// Forgets values while there are too many, but not the newest.
    private mutating func forget(but newest: ExactText, _ outcome: inout Outcome) {
        while entries.count > TopicState<Value>.mostValues || bytes > TopicState<Value>.mostBytes,
            let oldest = changes.first, ExactText(oldest.id) != newest || !isLatest(oldest)
        {
            changes.removeFirst()
            guard isLatest(oldest), let entry = entries.removeValue(forKey: ExactText(oldest.id)) else { continue }
            bytes -= entry.size
            forgotten += 1
            outcome.changed.append(oldest.id)
            outcome.removed.append(entry)
        }
        // Outdated changes take as much room as the values at most.
        if changes.count > 2 * entries.count + 16 { changes = changes.filter { isLatest($0) } }
    }

    private func isLatest(_ change: (id: String, number: UInt64)) -> Bool {
        entries[ExactText(change.id)]?.number == change.number
    }
}

/// The changes that one reader of a ``TopicState`` has not read: names, each once. Pure, but for the continuation that it keeps.
struct StateReader: Sendable {
    /// More than there can be values: a reader that does not read while names come and go misses that some have gone.
    static let mostNames = 20_000

    private var changed: Deque<String> = []
    private var isChanged: Set<ExactText> = []
    private(set) var waiter: CheckedContinuation<Void, Never>?

    /// - Parameter names: The names with a value.
    init(_ names: [String]) {
        _ = add(names)
    }

    /// Adds names whose value has changed. Returns the reader, if it waits.
    mutating func add(_ names: [String]) -> CheckedContinuation<Void, Never>? {
        for name in names where isChanged.insert(ExactText(name)).inserted { changed.append(name) }
        while changed.count > Self.mostNames, let oldest = changed.popFirst() { isChanged.remove(ExactText(oldest)) }
        return changed.isEmpty ? nil : takeWaiter()
    }

    mutating func next() -> String? {
        guard let name = changed.popFirst() else { return nil }
        isChanged.remove(ExactText(name))
        return name
    }

    /// Keeps the continuation of the reader; returns false if there is a change already.
    mutating func wait(_ continuation: CheckedContinuation<Void, Never>) -> Bool {
        guard changed.isEmpty else { return false }
        waiter = continuation
        return true
    }

    mutating func takeWaiter() -> CheckedContinuation<Void, Never>? {
        defer { waiter = nil }
        return waiter
    }
}
