/// Finds packet boundaries in one direction of a connection, without decoding the packets.
package struct PacketScanner: Sendable {
    /// The place at which to cut a connection: after some bytes of the next packet of a type, or after the whole packet if
    /// it is shorter.
    package struct Cut: Sendable, Hashable {
        /// The packet type.
        package var type: FakeBroker.PacketType
        /// The number of bytes that still pass, 1 or more.
        package var bytes: Int

        /// Creates a cut.
        package init(_ type: FakeBroker.PacketType, bytes: Int) {
            self.type = type
            self.bytes = bytes
        }
    }

    private enum Place {
        case start
        case length(type: UInt8, seen: Int, value: Int, shift: Int)
        case body(type: UInt8, seen: Int, left: Int)
    }

    private var place = Place.start
    private var cutApplies = false

    /// The number of complete packets that have passed, by type.
    package private(set) var finished: [UInt8: Int] = [:]

    /// Creates a scanner for the beginning of a connection.
    package init() {}

    /// Scans bytes that are about to pass.
    ///
    /// - Returns: The number of them that may pass, and whether to cut the connection then.
    package mutating func scan(_ bytes: ArraySlice<UInt8>, cut: Cut?) -> (passed: Int, isCut: Bool) {
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let (size, packetEnded) = step(bytes, at: index, cut: cut)
            index += size
            guard cutApplies, let cut else {
                if packetEnded { cutApplies = false }
                continue
            }
            if packetEnded || seen >= cut.bytes {
                cutApplies = false
                return (index - bytes.startIndex, true)
            }
        }
        return (bytes.count, false)
    }

    /// The number of bytes of the current packet that have passed.
    private var seen: Int {
        switch place {
        case .start: 0
        case .length(_, let seen, _, _), .body(_, let seen, _): seen
        }
    }

    /// Consumes one byte of a header, or bytes of a body up to its end or the cut. Returns their number and whether the
    /// packet is complete.
    private mutating func step(_ bytes: ArraySlice<UInt8>, at index: Int, cut: Cut?) -> (size: Int, ended: Bool) {
        let byte = bytes[index]
        switch place {
        case .start:
            let type = byte >> 4
            cutApplies = cut?.type.rawValue == type
            place = .length(type: type, seen: 1, value: 0, shift: 0)
            return (1, false)
        case .length(let type, let seen, let value, let shift):
            let total = value | Int(byte & 0x7F) << shift
            if byte & 0x80 != 0, shift < 21 {
                place = .length(type: type, seen: seen + 1, value: total, shift: shift + 7)
                return (1, false)
            }
            return (1, begin(type, seen: seen + 1, left: total))
        case .body(let type, let seen, let left):
            var size = min(left, bytes.endIndex - index)
            if cutApplies, let cut { size = min(size, max(1, cut.bytes - seen)) }
            return (size, begin(type, seen: seen + size, left: left - size))
        }
    }

    /// Continues in the body; returns whether the packet is complete.
    private mutating func begin(_ type: UInt8, seen: Int, left: Int) -> Bool {
        if left > 0 {
            place = .body(type: type, seen: seen, left: left)
            return false
        }
        place = .start
        finished[type, default: 0] += 1
        return true
    }
}
