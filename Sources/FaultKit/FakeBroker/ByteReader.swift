/// Reads MQTT data types from the front of a packet body (MQTT 5, section 1.5).
struct ByteReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: some Collection<UInt8>) {
        rest = Array(bytes)[...]
    }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func byte() throws -> UInt8 {
        guard let byte = rest.popFirst() else { throw FaultKitError("decode a packet: it is too short") }
        return byte
    }

    mutating func bytes(_ count: Int) throws -> [UInt8] {
        guard rest.count >= count else { throw FaultKitError("decode a packet: it is too short") }
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    mutating func remainder() -> [UInt8] {
        defer { rest = [] }
        return Array(rest)
    }

    mutating func twoBytes() throws -> UInt16 {
        try bytes(2).reduce(0) { $0 << 8 | UInt16($1) }
    }

    mutating func fourBytes() throws -> UInt32 {
        try bytes(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    mutating func binary() throws -> [UInt8] {
        try bytes(Int(twoBytes()))
    }

    /// Replaces invalid UTF-8 with replacement characters; for exact comparison, use ``binary()``.
    mutating func string() throws -> String {
        String(decoding: try binary(), as: UTF8.self)
    }

    mutating func variableInteger() throws -> UInt32 {
        var value: UInt32 = 0
        for shift in stride(from: UInt32(0), to: 28, by: 7) {
            let next = try byte()
            value |= UInt32(next & 0x7f) << shift
            if next < 0x80 { return value }
        }
        throw FaultKitError("decode a packet: a variable byte integer has more than 4 bytes")
    }
}
