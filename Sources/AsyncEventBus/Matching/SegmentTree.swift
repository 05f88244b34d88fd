/// A trie of the segments of patterns, in flat arrays. A node represents the first segments of a pattern; a `**` at the end
/// has no node of its own.
///
/// One hash table holds all edges, by parent and hash of the segment. So a step of a look-up reads one table entry and one
/// node, and creates no string. Pure.
struct SegmentTree: Sendable {
    /// A node; keeps its number while it is in the tree.
    typealias Node = Int32

    /// The part of a node that a look-up reads: half a cache line.
    struct Content {
        var hash: UInt64 = 0
        /// The first 8 bytes, which is all of most segments: see `UnsafeRawBufferPointer.head`.
        var head: UInt64 = 0
        var length: Int32 = 0
        var parent: Node
        /// The node below `*`.
        var anyChild: Node = SegmentTree.none
        /// Whether a pattern with values ends here, and whether one continues with `**`.
        var hasWholes = false
        var hasRests = false
    }

    /// The rest of a node.
    struct Account {
        /// Nil for `*`.
        var segment: [UInt8]?
        /// The number of values of the pattern that ends here, and of the pattern that continues with `**`.
        var wholes = 0
        var rests = 0
        var children = 0

        var isNeeded: Bool { wholes > 0 || rests > 0 || children > 0 }
    }

    /// A pattern that matches a name: it ends at the node, or continues with `**`.
    struct Match: Sendable {
        let node: Node
        let isWhole: Bool
    }

    /// The patterns that match a name. Most names match at most one pattern, which takes no array.
    struct Matches: Sendable {
        private(set) var first: Match?
        private(set) var others: [Match] = []

        mutating func add(_ match: Match) {
            if first == nil { first = match } else { others.append(match) }
        }
    }

    static let root: Node = 0
    static let none: Node = -1

    private(set) var nodes = [Content(parent: SegmentTree.none)]
    /// Indexed by node, as `nodes`.
    private(set) var accounts = [Account()]
    private var free: [Node] = []
    /// An open-addressing hash table of children, at most half full.
    private(set) var edges = [Node](repeating: SegmentTree.none, count: 16)
    private var edgeCount = 0

    /// An upper bound of all node numbers.
    var nodeCount: Int { nodes.count }

    /// Returns the node of these parts, and creates missing ones. The caller then calls ``use(_:isWhole:)``.
    mutating func add(_ parts: some Collection<EventPattern.Part>) -> Node {
        var node = Self.root
        for part in parts { node = child(of: node, part) ?? addChild(of: node, part) }
        return node
    }

    /// Returns the node of these parts.
    func find(_ parts: some Collection<EventPattern.Part>) -> Node? {
        var node = Self.root
        for part in parts {
            guard let child = child(of: node, part) else { return nil }
            node = child
        }
        return node
    }

    /// Counts one more value for a pattern that ends at a node.
    mutating func use(_ node: Node, isWhole: Bool) { count(1, node, isWhole) }

    /// Counts one value less, and removes nodes that no pattern needs.
    mutating func release(_ node: Node, isWhole: Bool) {
        count(-1, node, isWhole)
        prune(node)
    }

    private mutating func count(_ change: Int, _ node: Node, _ isWhole: Bool) {
        if isWhole { accounts[Int(node)].wholes += change } else { accounts[Int(node)].rests += change }
        nodes[Int(node)].hasWholes = accounts[Int(node)].wholes > 0
        nodes[Int(node)].hasRests = accounts[Int(node)].rests > 0
    }

    /// Removes a node without values and children, then its parents likewise.
    private mutating func prune(_ node: Node) {
        var node = node
        while node != Self.root, !accounts[Int(node)].isNeeded {
            let parent = nodes[Int(node)].parent
            if accounts[Int(node)].segment == nil {
                nodes[Int(parent)].anyChild = Self.none
            } else {
                removeEdge(to: node)
                accounts[Int(node)].segment = nil
            }
            free.append(node)
            accounts[Int(parent)].children -= 1
            node = parent
        }
    }

    // MARK: Edges

    static func place(_ parent: Node, _ hash: UInt64) -> Int {
        let mixed = (hash ^ UInt64(bitPattern: Int64(parent))) &* 0x9e37_79b9_7f4a_7c15
        return Int(truncatingIfNeeded: mixed >> 20)
    }

    private func child(of node: Node, _ part: EventPattern.Part) -> Node? {
        guard case .literal(let key) = part else {
            let child = nodes[Int(node)].anyChild
            return child == Self.none ? nil : child
        }
        let segment = Array(key.text.utf8)
        let hash = unsafe segment.withUnsafeBytes { unsafe NameHash.of($0) }
        var place = Self.place(node, hash) & (edges.count - 1)
        while edges[place] != Self.none {
            let child = Int(edges[place])
            if nodes[child].hash == hash, nodes[child].parent == node, accounts[child].segment == segment {
                return edges[place]
            }
            place = (place + 1) & (edges.count - 1)
        }
        return nil
    }

    private mutating func addChild(of node: Node, _ part: EventPattern.Part) -> Node {
        var (content, account) = (Content(parent: node), Account())
        if case .literal(let key) = part {
            let segment = Array(key.text.utf8)
            account.segment = segment
            (content.hash, content.head) = unsafe segment.withUnsafeBytes { unsafe (NameHash.of($0), $0.head) }
            content.length = Int32(clamping: segment.count)
        }
        let child: Node
        if let known = free.popLast() {
            child = known
            (nodes[Int(child)], accounts[Int(child)]) = (content, account)
        } else {
            child = Node(nodes.count)
            nodes.append(content)
            accounts.append(account)
        }
        accounts[Int(node)].children += 1
        if account.segment == nil { nodes[Int(node)].anyChild = child } else { addEdge(to: child) }
        return child
    }

    private mutating func addEdge(to child: Node) {
        edgeCount += 1
        if edgeCount * 2 > edges.count {
            let known = edges
            edges = [Node](repeating: Self.none, count: known.count * 2)
            for child in known where child != Self.none { put(child) }
        }
        put(child)
    }

    private mutating func put(_ child: Node) {
        var place = home(of: child)
        while edges[place] != Self.none { place = (place + 1) & (edges.count - 1) }
        edges[place] = child
    }

    private func home(of child: Node) -> Int {
        Self.place(nodes[Int(child)].parent, nodes[Int(child)].hash) & (edges.count - 1)
    }

    /// Backward-shift deletion.
    private mutating func removeEdge(to child: Node) {
        edgeCount -= 1
        var gap = home(of: child)
        while edges[gap] != child { gap = (gap + 1) & (edges.count - 1) }
        edges[gap] = Self.none
        var place = (gap + 1) & (edges.count - 1)
        while edges[place] != Self.none {
            let distance = (place - home(of: edges[place])) & (edges.count - 1)
            if distance >= (place - gap) & (edges.count - 1) {
                edges.swapAt(place, gap)
                gap = place
            }
            place = (place + 1) & (edges.count - 1)
        }
    }
}
