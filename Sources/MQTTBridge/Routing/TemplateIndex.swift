import AsyncEventBus

/// A trie that finds the templates that may overlap a given template. Pure.
///
/// Compares literals only; ``Unifier`` decides about captures that must be equal. A leading capture does not match a
/// literal that begins with `$`. The order of visits is deterministic: it depends on the order of changes alone.
struct TemplateIndex {
    /// The position of all templates that are equal but for the names of their captures.
    struct Place: Hashable {
        fileprivate let node: Int
        fileprivate let isRest: Bool
    }

    private struct Node {
        let parent: Int
        /// Nil for the child of a capture.
        let literal: ExactText?
        /// The position in the parent's `children`.
        var slot = 0
        var literals: [ExactText: Int] = [:]
        /// The values of `literals` in a deterministic order.
        var children: [Int] = []
        /// The child for a capture.
        var anyChild: Int?
        /// The values of templates that end here.
        var ends: [Int] = []
        /// The values of templates that end here with a rest capture.
        var rests: [Int] = []

        var isEmpty: Bool { ends.isEmpty && rests.isEmpty && children.isEmpty && anyChild == nil }
    }

    /// Templates that begin with a literal `$` have a root of their own.
    private static let (root, reservedRoot) = (0, 1)

    private var nodes = [Node(parent: -1, literal: nil), Node(parent: -1, literal: nil)]
    /// The place of each value, and its position in the list there.
    private var positions: [Int: (place: Place, slot: Int)] = [:]

    var isEmpty: Bool { positions.isEmpty }

    /// The values at a place, in order of insertion; a removal moves the last value into the gap.
    subscript(place: Place) -> [Int] { place.isRest ? nodes[place.node].rests : nodes[place.node].ends }

    // MARK: Changes

    @discardableResult
    mutating func insert(_ value: Int, _ template: Template) -> Place { insert(value, template.parts) }

    /// - Parameter value: Must not be in the index.
    @discardableResult
    mutating func insert(_ value: Int, _ parts: [Template.Part]) -> Place {
        var node = Self.isReserved(parts) ? Self.reservedRoot : Self.root
        var isRest = false
        for part in parts {
            switch part {
            case .rest: isRest = true
            case .capture: node = nodes[node].anyChild ?? addChild(of: node, nil)
            case .literal(let text):
                let key = ExactText(text)
                node = nodes[node].literals[key] ?? addChild(of: node, key)
            }
        }
        let place = Place(node: node, isRest: isRest)
        positions[value] = (place, self[place].count)
        if isRest { nodes[node].rests.append(value) } else { nodes[node].ends.append(value) }
        return place
    }

    private mutating func addChild(of parent: Int, _ literal: ExactText?) -> Int {
        let child = nodes.count
        nodes.append(Node(parent: parent, literal: literal))
        if let literal {
            nodes[child].slot = nodes[parent].children.count
            nodes[parent].children.append(child)
            nodes[parent].literals[literal] = child
        } else {
            nodes[parent].anyChild = child
        }
        return child
    }

    /// Removes a value, and the nodes that become empty.
    mutating func remove(_ value: Int) {
        guard let (place, slot) = positions.removeValue(forKey: value) else { return }
        let last: Int?
        if place.isRest {
            last = nodes[place.node].rests.popLast()
            if let last, last != value { nodes[place.node].rests[slot] = last }
        } else {
            last = nodes[place.node].ends.popLast()
            if let last, last != value { nodes[place.node].ends[slot] = last }
        }
        if let last, last != value { positions[last] = (place, slot) }
        var node = place.node
        while nodes[node].parent >= 0, nodes[node].isEmpty {
            let (parent, slot) = (nodes[node].parent, nodes[node].slot)
            if let literal = nodes[node].literal {
                nodes[parent].literals[literal] = nil
                if let last = nodes[parent].children.popLast(), last != node {
                    nodes[parent].children[slot] = last
                    nodes[last].slot = slot
                }
            } else {
                nodes[parent].anyChild = nil
            }
            node = parent
        }
    }

    // MARK: Look-ups

    func values(overlapping template: Template) -> [Int] {
        var found: [Int] = []
        _ = first(overlapping: template.parts) { place in
            found += self[place]
            return nil as Int?
        }
        return found
    }

    /// The first result that is not nil of `body`, called for the places that overlap.
    func first<Result>(overlapping parts: [Template.Part], _ body: (Place) -> Result?) -> Result? {
        first(parts[...], below: Self.isReserved(parts) ? Self.reservedRoot : Self.root, body)
    }

    private static func isReserved(_ parts: [Template.Part]) -> Bool {
        guard case .literal(let text) = parts.first else { return false }
        return text.utf8.first == UInt8(ascii: "$")
    }

    private func first<Result>(
        _ parts: ArraySlice<Template.Part>,
        below node: Int,
        _ body: (Place) -> Result?
    ) -> Result? {
        if case .rest = parts.first { return first(below: node, body) }
        if !nodes[node].rests.isEmpty, let found = body(Place(node: node, isRest: true)) { return found }
        guard let part = parts.first else {
            return nodes[node].ends.isEmpty ? nil : body(Place(node: node, isRest: false))
        }
        let rest = parts.dropFirst()
        if case .literal(let text) = part {
            if let child = nodes[node].literals[ExactText(text)], let found = first(rest, below: child, body) {
                return found
            }
        } else {
            for child in nodes[node].children {
                if let found = first(rest, below: child, body) { return found }
            }
        }
        guard let child = nodes[node].anyChild else { return nil }
        return first(rest, below: child, body)
    }

    private func first<Result>(below node: Int, _ body: (Place) -> Result?) -> Result? {
        if !nodes[node].ends.isEmpty, let found = body(Place(node: node, isRest: false)) { return found }
        if !nodes[node].rests.isEmpty, let found = body(Place(node: node, isRest: true)) { return found }
        for child in nodes[node].children {
            if let found = first(below: child, body) { return found }
        }
        return nodes[node].anyChild.flatMap { first(below: $0, body) }
    }
}
