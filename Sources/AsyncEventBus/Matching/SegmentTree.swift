/// A tree of segments in flat arrays: each node stands for the beginning of a pattern, down to its last segment but a
/// `**`.
///
/// All edges are in one hash table, by the parent and the hash of the segment: a step of a look-up reads a table entry
/// and a node, and makes no string. Pure.
struct SegmentTree: Sendable {
    /// A node; stays the same while it is in the tree.
    typealias Node = Int32

    /// What a look-up reads of a node: half a line of the processor's cache.
    private struct Content {
        var hash: UInt64 = 0
        /// See `UnsafeRawBufferPointer.head`: of most segments, all.
        var head: UInt64 = 0
        var length: Int32 = 0
        var parent: Node
        /// The node below `*`.
        var anyChild: Node = SegmentTree.none
        /// Whether patterns with values end here, and whether such go on with `**`.
        var hasWholes = false
        var hasRests = false
    }

    /// What else there is about a node.
    private struct Account {
        /// Nil for `*`.
        var segment: [UInt8]?
        /// Values of the owner of the tree under the pattern that ends here, and under that with `**` behind it.
        var wholes = 0
        var rests = 0
        var children = 0

        var isNeeded: Bool { wholes > 0 || rests > 0 || children > 0 }
    }

    /// A pattern that matches a name: the one that ends at a node, or that with `**` behind it.
    struct Match: Sendable {
        let node: Node
        let isWhole: Bool
    }

    /// The patterns that match a name: for most names one or none, which takes no array.
    struct Matches: Sendable {
        private(set) var first: Match?
        private(set) var others: [Match] = []

        fileprivate mutating func add(_ match: Match) {
            if first == nil { first = match } else { others.append(match) }
        }
    }

    private struct Piece {
        let start: Int
        let end: Int
        let hash: UInt64
        let head: UInt64

        init(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ end: Int) {
            let segment = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
            (self.start, self.end, hash, head) = (start, end, NameHash.of(segment), segment.head)
        }
    }

    static let root: Node = 0
    private static let none: Node = -1

    private var nodes = [Content(parent: SegmentTree.none)]
    /// By node.
    private var accounts = [Account()]
    private var free: [Node] = []
    /// Children by hash; the next free place where that one is taken. At most half full.
    private var edges = [Node](repeating: SegmentTree.none, count: 16)
    private var edgeCount = 0

    /// How many nodes there ever were at a time: each is below that.
    var nodeCount: Int { nodes.count }

    /// The node of these parts, made where it is missing. Must be followed by ``use(_:isWhole:)``.
    mutating func add(_ parts: some Collection<EventPattern.Part>) -> Node {
        var node = Self.root
        for part in parts { node = child(of: node, part) ?? addChild(of: node, part) }
        return node
    }

    /// The node of these parts.
    func find(_ parts: some Collection<EventPattern.Part>) -> Node? {
        var node = Self.root
        for part in parts {
            guard let child = child(of: node, part) else { return nil }
            node = child
        }
        return node
    }

    /// One value more is under a pattern that ends at a node.
    mutating func use(_ node: Node, isWhole: Bool) { count(1, node, isWhole) }

    /// One value less is under a pattern that ends at a node.
    mutating func release(_ node: Node, isWhole: Bool) {
        count(-1, node, isWhole)
        prune(node)
    }

    private mutating func count(_ change: Int, _ node: Node, _ isWhole: Bool) {
        if isWhole { accounts[Int(node)].wholes += change } else { accounts[Int(node)].rests += change }
        nodes[Int(node)].hasWholes = accounts[Int(node)].wholes > 0
        nodes[Int(node)].hasRests = accounts[Int(node)].rests > 0
    }

    /// Takes out a node that nothing needs, and those above that are needed by nothing else.
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

    /// The patterns with values that match a name.
    func matches(_ name: EventName) -> Matches {
        var text = name.text
        return text.withUTF8 { utf8 in
            let bytes = UnsafeRawBufferPointer(utf8)
            var dots = 0
            Self.eachDot(in: bytes) { _ in dots += 1 }
            return withUnsafeTemporaryAllocation(of: Piece.self, capacity: dots + 1) { pieces in
                var (start, count) = (0, 0)
                func add(upTo position: Int) {
                    pieces.initializeElement(at: count, to: Piece(bytes, start, position))
                    (start, count) = (position + 1, count + 1)
                }
                Self.eachDot(in: bytes) { add(upTo: $0) }
                add(upTo: bytes.count)
                var found = Matches()
                nodes.withUnsafeBufferPointer { nodes in
                    edges.withUnsafeBufferPointer { edges in
                        let walk = Walk(
                            nodes: nodes,
                            edges: edges,
                            accounts: accounts,
                            bytes: bytes,
                            pieces: UnsafeBufferPointer(pieces)
                        )
                        walk.visit(Self.root, 0, wildcards: bytes.first != UInt8(ascii: "$"), &found)
                    }
                }
                return found
            }
        }
    }

    /// One look-up.
    private struct Walk {
        let nodes: UnsafeBufferPointer<Content>
        let edges: UnsafeBufferPointer<Node>
        let accounts: [Account]
        let bytes: UnsafeRawBufferPointer
        let pieces: UnsafeBufferPointer<Piece>

        /// - Parameter wildcards: Whether they match the next segment: not the first one of a reserved name.
        func visit(_ node: Node, _ depth: Int, wildcards: Bool, _ found: inout Matches) {
            if wildcards, nodes[Int(node)].hasRests { found.add(Match(node: node, isWhole: false)) }
            guard depth < pieces.count else {
                if nodes[Int(node)].hasWholes { found.add(Match(node: node, isWhole: true)) }
                return
            }
            if let child = child(of: node, pieces[depth]) { visit(child, depth + 1, wildcards: true, &found) }
            let anyChild = nodes[Int(node)].anyChild
            if wildcards, anyChild != SegmentTree.none { visit(anyChild, depth + 1, wildcards: true, &found) }
        }

        private func child(of node: Node, _ piece: Piece) -> Node? {
            var place = SegmentTree.place(node, piece.hash) & (edges.count - 1)
            while edges[place] != SegmentTree.none {
                let child = Int(edges[place])
                if nodes[child].hash == piece.hash, nodes[child].parent == node, isSegment(child, piece) {
                    return Node(child)
                }
                place = (place + 1) & (edges.count - 1)
            }
            return nil
        }

        private func isSegment(_ child: Int, _ piece: Piece) -> Bool {
            guard nodes[child].length == piece.end - piece.start, nodes[child].head == piece.head else { return false }
            guard nodes[child].length > 8 else { return true }
            return accounts[child].segment?.withUnsafeBytes { segment in
                segment.hasSameBytes(as: UnsafeRawBufferPointer(rebasing: bytes[piece.start..<piece.end]))
            } ?? false
        }
    }

    /// Calls `found` with the position of each dot, in order.
    @inline(__always)
    private static func eachDot(in bytes: UnsafeRawBufferPointer, found: (Int) -> Void) {
        for position in stride(from: 0, to: bytes.count, by: 8) {
            let low: UInt64 = 0x7f7f_7f7f_7f7f_7f7f
            // The high bit of each byte that is a dot. (Anderson, Bit Twiddling Hacks.)
            let other = word(of: bytes, at: position) ^ 0x2e2e_2e2e_2e2e_2e2e
            var dots = ~(((other & low) &+ low) | other | low)
            while dots != 0 {
                found(position + dots.trailingZeroBitCount / 8)
                dots &= dots &- 1
            }
        }
    }

    /// Eight bytes, the first one lowest; zeros behind the end.
    @inline(__always)
    private static func word(of bytes: UnsafeRawBufferPointer, at position: Int) -> UInt64 {
        guard bytes.count >= 8 else { return bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
        let start = min(position, bytes.count - 8)
        let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self))
        return word >> UInt64(8 * (position - start))
    }

    // MARK: Edges

    private static func place(_ parent: Node, _ hash: UInt64) -> Int {
        let mixed = (hash ^ UInt64(bitPattern: Int64(parent))) &* 0x9e37_79b9_7f4a_7c15
        return Int(truncatingIfNeeded: mixed >> 20)
    }

    private func child(of node: Node, _ part: EventPattern.Part) -> Node? {
        guard case .literal(let key) = part else {
            let child = nodes[Int(node)].anyChild
            return child == Self.none ? nil : child
        }
        let segment = Array(key.text.utf8)
        let hash = segment.withUnsafeBytes { NameHash.of($0) }
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
            (content.hash, content.head) = segment.withUnsafeBytes { (NameHash.of($0), $0.head) }
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

    /// Moves those up that had to give way, so that no gap ends a search too early.
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
