import AsyncEventBus

/// Finds the templates that may stand for a text that a given template stands for too, without comparing with each.
///
/// Looks at which parts are literal and which are not; two captures that must be equal are left to ``Unifier``.
struct TemplateIndex {
    private struct Node {
        var children: [ExactText: Node] = [:]
        /// The subtree below a capture. An array of at most one element, since a struct cannot hold itself.
        var anyChild: [Node] = []
        var ends: [Int] = []
        var rests: [Int] = []
    }

    private var root = Node()

    mutating func insert(_ value: Int, _ template: Template) {
        Self.insert(value, template.parts[...], below: &root)
    }

    func values(overlapping template: Template) -> [Int] {
        var found: [Int] = []
        Self.collect(template.parts[...], below: root, into: &found)
        return found
    }

    private static func insert(_ value: Int, _ parts: ArraySlice<Template.Part>, below node: inout Node) {
        switch parts.first {
        case nil: node.ends.append(value)
        case .rest: node.rests.append(value)
        case .literal(let text):
            insert(value, parts.dropFirst(), below: &node.children[ExactText(text), default: Node()])
        case .capture:
            if node.anyChild.isEmpty { node.anyChild.append(Node()) }
            insert(value, parts.dropFirst(), below: &node.anyChild[0])
        }
    }

    private static func collect(_ parts: ArraySlice<Template.Part>, below node: Node, into found: inout [Int]) {
        if case .rest = parts.first {
            collectAll(below: node, into: &found)
            return
        }
        found += node.rests
        guard let part = parts.first else {
            found += node.ends
            return
        }
        let rest = parts.dropFirst()
        if case .literal(let text) = part {
            if let child = node.children[ExactText(text)] { collect(rest, below: child, into: &found) }
        } else {
            for child in node.children.values { collect(rest, below: child, into: &found) }
        }
        for child in node.anyChild { collect(rest, below: child, into: &found) }
    }

    private static func collectAll(below node: Node, into found: inout [Int]) {
        found += node.ends + node.rests
        for child in node.children.values { collectAll(below: child, into: &found) }
        for child in node.anyChild { collectAll(below: child, into: &found) }
    }
}
