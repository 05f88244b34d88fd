/// Finds the values whose pattern matches a name: in a hash table for patterns without wildcards, else in a tree.
///
/// Pure: no lock, no clock. A look-up costs one hash and one walk along the segments of the name, which branches only
/// at `*`; the number of patterns does not matter. The cost to add or remove a value does not depend on how many values
/// the pattern has. Removals prune empty nodes.
package struct PatternIndex<Value: Hashable & Sendable>: Sendable {
    /// The values of the patterns that end at a node of the tree.
    private struct Values {
        var whole = ValueSet<Value>()
        /// Values of the pattern that continues with `**`.
        var rest = ValueSet<Value>()
    }

    private var exact: [EventName: ValueSet<Value>] = [:]
    private var tree = SegmentTree()
    /// Indexed by node.
    private var values: [Values] = [Values()]
    private var wildcardCount = 0

    /// Creates an empty index.
    package init() {}

    /// Whether the index has no pattern.
    package var isEmpty: Bool { exact.isEmpty && wildcardCount == 0 }

    /// Adds a value to a pattern, unless the pattern has it already.
    /// - Returns: Whether the value was added.
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

    /// Removes a value from a pattern.
    /// - Returns: Whether the pattern had the value.
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

    /// Returns the values whose pattern matches. A value of several matching patterns occurs several times.
    package func values(matching name: EventName) -> [Value] {
        var found: [Value] = []
        eachPattern(of: matches(name)) { found += $0 }
        return found
    }

    /// Returns the patterns that match a name.
    func matches(_ name: EventName) -> Matches {
        Matches(
            exact: exact.isEmpty ? nil : exact[name],
            wildcards: wildcardCount == 0 ? SegmentTree.Matches() : tree.matches(name)
        )
    }

    /// Calls `found` with the values of each matching pattern. The index must not have changed since the look-up.
    func eachPattern(of matches: Matches, found: ([Value]) -> Void) {
        if let values = matches.exact?.values { found(values) }
        guard let first = matches.wildcards.first else { return }
        found(values(of: first))
        for match in matches.wildcards.others { found(values(of: match)) }
    }

    /// Returns the result of `body` for the value if a single pattern matches and has a single value, else nil.
    ///
    /// Passes the value in place: a copy would retain each reference in it.
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

    /// The patterns that match a name, at the time of the look-up.
    struct Matches {
        fileprivate let exact: ValueSet<Value>?
        fileprivate let wildcards: SegmentTree.Matches
    }
}

extension EventPattern {
    /// Whether the last part is `**`.
    fileprivate var endsWithRest: Bool { parts.last == .anyRest }

    /// The parts without a last `**`.
    fileprivate var partsToRest: ArraySlice<Part> { endsWithRest ? parts.dropLast() : parts[...] }
}
