/// Finds the values whose pattern matches a name: a hash for patterns without wildcards, a tree for the others.
///
/// Pure: no lock, no clock. A look-up costs one hash and one walk along the segments of the name, branching only
/// where patterns have `*`; it does not depend on how many patterns there are. To add or remove a value does not depend
/// on how many the pattern has. What a removal empties is pruned.
package struct PatternIndex<Value: Hashable & Sendable>: Sendable {
    /// The values of patterns that end at a node of the tree.
    private struct Values {
        var whole = ValueSet<Value>()
        /// Of patterns that go on with `**`.
        var rest = ValueSet<Value>()
    }

    private var exact: [EventName: ValueSet<Value>] = [:]
    private var tree = SegmentTree()
    /// By node.
    private var values: [Values] = [Values()]
    private var wildcardCount = 0

    /// An index without patterns.
    package init() {}

    /// Whether no pattern is left.
    package var isEmpty: Bool { exact.isEmpty && wildcardCount == 0 }

    /// Adds a value under a pattern. A value that the pattern has already is not added again.
    /// - Returns: Whether it was added.
    package mutating func insert(_ value: Value, for pattern: EventPattern) -> Bool {
        if let name = pattern.exactName { return exact[name, default: ValueSet()].insert(value) }
        let node = tree.add(pattern.partsToRest)
        while values.count < tree.nodeCount { values.append(Values()) }
        let isNew =
            pattern.endsWithRest ? values[Int(node)].rest.insert(value) : values[Int(node)].whole.insert(value)
        guard isNew else { return false }
        tree.use(node, isWhole: !pattern.endsWithRest)
        wildcardCount += 1
        return true
    }

    /// Removes a value from under a pattern.
    /// - Returns: Whether it was there.
    package mutating func remove(_ value: Value, for pattern: EventPattern) -> Bool {
        if let name = pattern.exactName {
            guard let place = exact.index(forKey: name), exact.values[place].remove(value) else { return false }
            if exact.values[place].values.isEmpty { exact.remove(at: place) }
            return true
        }
        guard let node = tree.find(pattern.partsToRest) else { return false }
        let wasThere =
            pattern.endsWithRest ? values[Int(node)].rest.remove(value) : values[Int(node)].whole.remove(value)
        guard wasThere else { return false }
        tree.release(node, isWhole: !pattern.endsWithRest)
        wildcardCount -= 1
        return true
    }

    /// The values whose pattern matches. A value under several matching patterns comes several times.
    package func values(matching name: EventName) -> [Value] {
        var found: [Value] = []
        eachPattern(of: matches(name)) { found += $0 }
        return found
    }

    /// The patterns that match a name.
    func matches(_ name: EventName) -> Matches {
        Matches(
            exact: exact.isEmpty ? nil : exact[name],
            wildcards: wildcardCount == 0 ? SegmentTree.Matches() : tree.matches(name)
        )
    }

    /// Calls `found` with the values of each pattern of a result that is as old as the last change, or younger.
    func eachPattern(of matches: Matches, found: ([Value]) -> Void) {
        if let values = matches.exact?.values { found(values) }
        guard let first = matches.wildcards.first else { return }
        found(values(of: first))
        for match in matches.wildcards.others { found(values(of: match)) }
    }

    /// What `body` makes of the value, where one pattern matches that has no other; nil elsewhere.
    ///
    /// The value is read in its place: a copy would count a reference to all that it holds.
    func withOnlyValue<Result>(of matches: Matches, _ body: (borrowing Value) -> Result) -> Result? {
        if let exact = matches.exact { return matches.wildcards.first == nil ? exact.only.map { body($0) } : nil }
        guard let match = matches.wildcards.first, matches.wildcards.others.isEmpty else { return nil }
        return unsafe values.withUnsafeBufferPointer { values in
            let node = Int(match.node)
            return unsafe match.isWhole
                ? values[node].whole.only.map { body($0) } : unsafe values[node].rest.only.map { body($0) }
        }
    }

    private func values(of match: SegmentTree.Match) -> [Value] {
        let node = Int(match.node)
        return match.isWhole ? values[node].whole.values : values[node].rest.values
    }

    /// The patterns that match a name, as they are now.
    struct Matches {
        fileprivate let exact: ValueSet<Value>?
        fileprivate let wildcards: SegmentTree.Matches
    }
}

extension EventPattern {
    /// Whether the last part is `**`.
    fileprivate var endsWithRest: Bool { parts.last == .anyRest }

    /// The parts but for a last `**`.
    fileprivate var partsToRest: ArraySlice<Part> { endsWithRest ? parts.dropLast() : parts[...] }
}
