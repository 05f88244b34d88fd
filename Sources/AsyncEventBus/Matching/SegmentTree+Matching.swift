/// The look-up: walks down the tree along the segments of a name.
extension SegmentTree {
    private struct Piece {
        let start: Int
        let end: Int
        let hash: UInt64
        let head: UInt64

        init(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ end: Int) {
            let segment = unsafe UnsafeRawBufferPointer(rebasing: bytes[start..<end])
            (self.start, self.end, hash, head) = unsafe (start, end, NameHash.of(segment), segment.head)
        }
    }

    /// Returns the patterns with values that match a name.
    func matches(_ name: EventName) -> Matches {
        var text = name.text
        return text.withUTF8 { utf8 in
            let bytes = UnsafeRawBufferPointer(utf8)
            var dots = 0
            unsafe Self.eachDot(in: bytes) { _ in dots += 1 }
            return unsafe withUnsafeTemporaryAllocation(of: Piece.self, capacity: dots + 1) { pieces in
                var (start, count) = (0, 0)
                func add(upTo position: Int) {
                    unsafe pieces.initializeElement(at: count, to: Piece(bytes, start, position))
                    (start, count) = (position + 1, count + 1)
                }
                unsafe Self.eachDot(in: bytes) { add(upTo: $0) }
                add(upTo: bytes.count)
                var found = Matches()
                unsafe nodes.withUnsafeBufferPointer { nodes in
                    unsafe edges.withUnsafeBufferPointer { edges in
                        let walk = unsafe Walk(
                            nodes: nodes,
                            edges: edges,
                            accounts: accounts,
                            bytes: bytes,
                            pieces: UnsafeBufferPointer(pieces)
                        )
                        unsafe walk.visit(Self.root, 0, wildcards: bytes.first != UInt8(ascii: "$"), &found)
                    }
                }
                return found
            }
        }
    }

    @safe private struct Walk {
        let nodes: UnsafeBufferPointer<Content>
        let edges: UnsafeBufferPointer<Node>
        let accounts: [Account]
        let bytes: UnsafeRawBufferPointer
        let pieces: UnsafeBufferPointer<Piece>

        /// - Parameter wildcards: Whether wildcards match the next segment: false for the first one of a reserved name.
        func visit(_ node: Node, _ depth: Int, wildcards: Bool, _ found: inout Matches) {
            if wildcards, unsafe nodes[Int(node)].hasRests { found.add(Match(node: node, isWhole: false)) }
            guard unsafe depth < pieces.count else {
                if unsafe nodes[Int(node)].hasWholes { found.add(Match(node: node, isWhole: true)) }
                return
            }
            if let child = unsafe child(of: node, pieces[depth]) { visit(child, depth + 1, wildcards: true, &found) }
            let anyChild = unsafe nodes[Int(node)].anyChild
            if wildcards, anyChild != SegmentTree.none { visit(anyChild, depth + 1, wildcards: true, &found) }
        }

        private func child(of node: Node, _ piece: Piece) -> Node? {
            var place = unsafe SegmentTree.place(node, piece.hash) & (edges.count - 1)
            while unsafe edges[place] != SegmentTree.none {
                let child = unsafe Int(edges[place])
                if unsafe nodes[child].hash == piece.hash, unsafe nodes[child].parent == node, isSegment(child, piece) {
                    return Node(child)
                }
                place = unsafe (place + 1) & (edges.count - 1)
            }
            return nil
        }

        private func isSegment(_ child: Int, _ piece: Piece) -> Bool {
            guard unsafe nodes[child].length == piece.end - piece.start, unsafe nodes[child].head == piece.head else {
                return false
            }
            guard unsafe nodes[child].length > 8 else { return true }
            return unsafe accounts[child].segment?.withUnsafeBytes { segment in
                unsafe segment.hasSameBytes(as: UnsafeRawBufferPointer(rebasing: bytes[piece.start..<piece.end]))
            } ?? false
        }
    }

    /// Calls `found` with the position of each dot, in order.
    @inline(__always)
    private static func eachDot(in bytes: UnsafeRawBufferPointer, found: (Int) -> Void) {
        for position in stride(from: 0, to: bytes.count, by: 8) {
            let low: UInt64 = 0x7f7f_7f7f_7f7f_7f7f
            // The high bit of each byte that is a dot. (Anderson, Bit Twiddling Hacks.)
            let other = unsafe word(of: bytes, at: position) ^ 0x2e2e_2e2e_2e2e_2e2e
            var dots = ~(((other & low) &+ low) | other | low)
            while dots != 0 {
                found(position + dots.trailingZeroBitCount / 8)
                dots &= dots &- 1
            }
        }
    }

    /// Returns eight bytes as a little-endian word, with zeros behind the end.
    @inline(__always)
    private static func word(of bytes: UnsafeRawBufferPointer, at position: Int) -> UInt64 {
        guard bytes.count >= 8 else { return unsafe bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
        let start = min(position, bytes.count - 8)
        let word = unsafe UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self))
        return word >> UInt64(8 * (position - start))
    }
}
