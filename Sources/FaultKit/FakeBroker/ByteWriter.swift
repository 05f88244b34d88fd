/// Writes MQTT data types (MQTT 5, section 1.5). A length that does not fit its prefix is truncated, never trapped on.
struct ByteWriter {
    private(set) var bytes: [UInt8] = []

    mutating func byte(_ value: UInt8) { bytes.append(value) }

    mutating func raw(_ more: [UInt8]) { bytes += more }

    mutating func twoBytes(_ value: UInt16) {
        bytes += [UInt8(value >> 8), UInt8(value & 0xff)]
    }

    mutating func fourBytes(_ value: UInt32) {
        twoBytes(UInt16(value >> 16))
        twoBytes(UInt16(value & 0xffff))
    }

    mutating func binary(_ value: [UInt8]) {
        twoBytes(UInt16(truncatingIfNeeded: value.count))
        bytes += value
    }

    mutating func string(_ value: String) { binary(Array(value.utf8)) }

    mutating func variableInteger(_ value: UInt32) {
        var rest = value
        repeat {
            let low = UInt8(rest & 0x7f)
            rest >>= 7
            bytes.append(rest > 0 ? low | 0x80 : low)
        } while rest > 0
    }

    /// Returns a packet with the written bytes as its body.
    func packet(firstByte: UInt8) -> [UInt8] {
        var packet = ByteWriter()
        packet.byte(firstByte)
        packet.variableInteger(UInt32(bytes.count))
        return packet.bytes + bytes
    }
}
