/// Finds the packets in one direction of a connection, without looking into them.
package struct PacketScanner: Sendable {
    /// Where a connection is to be cut: after so many bytes of the next packet of a type, or after the whole packet
    /// where it is shorter.
    package struct Cut: Sendable, Hashable {
        /// Which packets.
        package var type: FakeBroker.PacketType
        /// How many bytes still pass, 1 or more.
        package var bytes: Int

        /// A cut.
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

    /// How many packets of each type have passed whole.
    package private(set) var finished: [UInt8: Int] = [:]

    /// At the beginning of a connection.
    package init() {}

    /// Goes over bytes that are about to pass.
    ///
    /// - Returns: How many of them may pass, and whether the connection is to be cut then.
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

    /// How many bytes of the packet have passed.
    private var seen: Int {
        switch place {
        case .start: 0
        case .length(_, let seen, _, _), .body(_, let seen, _): seen
        }
    }

    /// Takes one byte of a header, or as many of a body as concern nobody.
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

    /// Goes on in the body; true when nothing of it is left.
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
