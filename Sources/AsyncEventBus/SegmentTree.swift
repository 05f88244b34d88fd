/// A tree of segments in flat arrays: each node stands for the beginning of a pattern, down to its last segment but a
/// `**`.
///
/// All edges are in one hash table, by the parent and the hash of the segment: a step of a look-up reads a table entry
/// and a node, and makes no string. Pure.
struct SegmentTree: Sendable {
    /// A node; stays the same while it is in the tree.
    typealias Node = Int32

    private struct Content {
        var parent: Node
        /// Nil for `*`.
        var segment: [UInt8]?
        var hash: UInt64
        /// The first eight bytes of the segment: of most, all.
        var head: UInt64 = 0
        var length = 0
        /// The node below `*`.
        var anyChild: Node = SegmentTree.none
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

    private struct Piece {
        let start: Int
        let end: Int
        let hash: UInt64
        let head: UInt64
    }

    static let root: Node = 0
    private static let none: Node = -1

    private var nodes = [Content(parent: SegmentTree.none, segment: nil, hash: 0)]
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
        if isWhole { nodes[Int(node)].wholes += change } else { nodes[Int(node)].rests += change }
    }

    /// Takes out a node that nothing needs, and those above that are needed by nothing else.
    private mutating func prune(_ node: Node) {
        var node = node
        while node != Self.root, !nodes[Int(node)].isNeeded {
            let parent = nodes[Int(node)].parent
            if nodes[Int(node)].segment == nil {
                nodes[Int(parent)].anyChild = Self.none
            } else {
                removeEdge(to: node)
                nodes[Int(node)].segment = nil
            }
            free.append(node)
            nodes[Int(parent)].children -= 1
            node = parent
        }
    }

    /// The patterns with values that match a name.
    func matches(_ name: EventName) -> [Match] {
        var text = name.text
        var found: [Match] = []
        text.withUTF8 { utf8 in
            let bytes = UnsafeRawBufferPointer(utf8)
            var dots = 0
            Self.eachDot(in: bytes) { _ in dots += 1 }
            withUnsafeTemporaryAllocation(of: Piece.self, capacity: dots + 1) { pieces in
                var (start, count) = (0, 0)
                func add(upTo position: Int) {
                    let piece = UnsafeRawBufferPointer(rebasing: bytes[start..<position])
                    pieces.initializeElement(
                        at: count,
                        to: Piece(start: start, end: position, hash: NameHash.of(piece), head: Self.head(piece))
                    )
                    (start, count) = (position + 1, count + 1)
                }
                Self.eachDot(in: bytes) { add(upTo: $0) }
                add(upTo: bytes.count)
                nodes.withUnsafeBufferPointer { nodes in
                    edges.withUnsafeBufferPointer { edges in
                        let walk = Walk(nodes: nodes, edges: edges, bytes: bytes, pieces: UnsafeBufferPointer(pieces))
                        walk.visit(Self.root, 0, wildcards: !name.isReserved, &found)
                    }
                }
            }
        }
        return found
    }

    /// One look-up.
    private struct Walk {
        let nodes: UnsafeBufferPointer<Content>
        let edges: UnsafeBufferPointer<Node>
        let bytes: UnsafeRawBufferPointer
        let pieces: UnsafeBufferPointer<Piece>

        /// - Parameter wildcards: Whether they match the next segment: not the first one of a reserved name.
        func visit(_ node: Node, _ depth: Int, wildcards: Bool, _ found: inout [Match]) {
            if wildcards, nodes[Int(node)].rests > 0 { found.append(Match(node: node, isWhole: false)) }
            guard depth < pieces.count else {
                if nodes[Int(node)].wholes > 0 { found.append(Match(node: node, isWhole: true)) }
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
            return nodes[child].segment?.withUnsafeBytes { segment in
                segment.hasSameBytes(as: UnsafeRawBufferPointer(rebasing: bytes[piece.start..<piece.end]))
            } ?? false
        }
    }

    /// Calls `found` with the position of each dot, in order. Looks at eight bytes at a time.
    @inline(__always)
    private static func eachDot(in bytes: UnsafeRawBufferPointer, found: (Int) -> Void) {
        let low: UInt64 = 0x7f7f_7f7f_7f7f_7f7f
        var position = 0
        while position < bytes.count {
            let word =
                position + 8 <= bytes.count
                ? UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
                : head(UnsafeRawBufferPointer(rebasing: bytes[position...]))
            // The high bit of each byte that is a dot. (Anderson, Bit Twiddling Hacks.)
            let other = word ^ 0x2e2e_2e2e_2e2e_2e2e
            var dots = ~(((other & low) &+ low) | other | low)
            while dots != 0 {
                found(position + dots.trailingZeroBitCount / 8)
                dots &= dots &- 1
            }
            position += 8
        }
    }

    private static func head(_ segment: UnsafeRawBufferPointer) -> UInt64 {
        guard segment.count < 8 else { return UInt64(littleEndian: segment.loadUnaligned(as: UInt64.self)) }
        var head: UInt64 = 0
        for position in 0..<segment.count { head |= UInt64(segment[position]) << UInt64(8 * position) }
        return head
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
            if nodes[child].hash == hash, nodes[child].parent == node, nodes[child].segment == segment {
                return edges[place]
            }
            place = (place + 1) & (edges.count - 1)
        }
        return nil
    }

    private mutating func addChild(of node: Node, _ part: EventPattern.Part) -> Node {
        var content = Content(parent: node, segment: nil, hash: 0)
        if case .literal(let key) = part {
            let segment = Array(key.text.utf8)
            content.segment = segment
            (content.hash, content.head) = segment.withUnsafeBytes { (NameHash.of($0), Self.head($0)) }
            content.length = segment.count
        }
        let child: Node
        if let known = free.popLast() {
            child = known
            nodes[Int(child)] = content
        } else {
            child = Node(nodes.count)
            nodes.append(content)
        }
        nodes[Int(node)].children += 1
        if content.segment == nil { nodes[Int(node)].anyChild = child } else { addEdge(to: child) }
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
