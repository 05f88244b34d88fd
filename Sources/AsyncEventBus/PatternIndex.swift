/// Finds the values whose pattern matches a name: a hash for patterns without wildcards, a tree for the others.
///
/// Pure: no lock, no clock. A look-up costs one hash and one walk along the segments of the name, branching only
/// where patterns have `*`; it does not depend on how many patterns there are. What a removal empties is pruned.
package struct PatternIndex<Value: Equatable & Sendable>: Sendable {
    private struct Node: Sendable {
        var children: [SegmentKey: Node] = [:]
        /// The subtree below `*`. An array of at most one element, since a struct cannot hold itself.
        var anyChild: [Node] = []
        var values: [Value] = []
        var restValues: [Value] = []

        var isEmpty: Bool { children.isEmpty && anyChild.isEmpty && values.isEmpty && restValues.isEmpty }
    }

    private var exact: [EventName: [Value]] = [:]
    private var root = Node()

    /// An index without patterns.
    package init() {}

    /// Whether no pattern is left.
    package var isEmpty: Bool { exact.isEmpty && root.isEmpty }

    /// Adds a value under a pattern. A value that the pattern has already is not added again.
    /// - Returns: Whether it was added.
    package mutating func insert(_ value: Value, for pattern: EventPattern) -> Bool {
        if let name = pattern.exactName { return Self.add(value, to: &exact[name, default: []]) }
        return Self.insert(value, at: pattern.parts[...], below: &root)
    }

    /// Removes a value from under a pattern.
    /// - Returns: Whether it was there.
    package mutating func remove(_ value: Value, for pattern: EventPattern) -> Bool {
        guard let name = pattern.exactName else { return Self.remove(value, at: pattern.parts[...], below: &root) }
        guard var values = exact[name], let position = values.firstIndex(of: value) else { return false }
        values.remove(at: position)
        exact[name] = values.isEmpty ? nil : values
        return true
    }

    /// The values whose pattern matches. A value under several matching patterns comes several times.
    package func values(matching name: EventName) -> [Value] {
        var found = exact[name] ?? []
        guard !root.isEmpty else { return found }
        Self.collect(name.escapedSegments[...], below: root, wildcards: !name.isReserved, into: &found)
        return found
    }

    private static func add(_ value: Value, to values: inout [Value]) -> Bool {
        guard !values.contains(value) else { return false }
        values.append(value)
        return true
    }

    private static func take(_ value: Value, from values: inout [Value]) -> Bool {
        guard let position = values.firstIndex(of: value) else { return false }
        values.remove(at: position)
        return true
    }

    private static func insert(_ value: Value, at parts: ArraySlice<EventPattern.Part>, below node: inout Node) -> Bool
    {
        guard let part = parts.first else { return add(value, to: &node.values) }
        switch part {
        case .literal(let segment):
            return insert(value, at: parts.dropFirst(), below: &node.children[segment, default: Node()])
        case .anySegment:
            if node.anyChild.isEmpty { node.anyChild.append(Node()) }
            return insert(value, at: parts.dropFirst(), below: &node.anyChild[0])
        case .anyRest:
            return add(value, to: &node.restValues)
        }
    }

    private static func remove(_ value: Value, at parts: ArraySlice<EventPattern.Part>, below node: inout Node) -> Bool
    {
        guard let part = parts.first else { return take(value, from: &node.values) }
        switch part {
        case .literal(let segment):
            guard node.children[segment] != nil else { return false }
            let removed = remove(value, at: parts.dropFirst(), below: &node.children[segment, default: Node()])
            if node.children[segment]?.isEmpty == true { node.children[segment] = nil }
            return removed
        case .anySegment:
            guard !node.anyChild.isEmpty else { return false }
            let removed = remove(value, at: parts.dropFirst(), below: &node.anyChild[0])
            if node.anyChild[0].isEmpty { node.anyChild.removeAll() }
            return removed
        case .anyRest:
            return take(value, from: &node.restValues)
        }
    }

    private static func collect(
        _ segments: ArraySlice<Substring>,
        below node: Node,
        wildcards: Bool,
        into found: inout [Value]
    ) {
        if wildcards { found += node.restValues }
        guard let segment = segments.first else {
            found += node.values
            return
        }
        if let child = node.children[SegmentKey(segment)] {
            collect(segments.dropFirst(), below: child, wildcards: true, into: &found)
        }
        if wildcards, let child = node.anyChild.first {
            collect(segments.dropFirst(), below: child, wildcards: true, into: &found)
        }
    }
}
