import MessageStore

/// Reads the head of an inbound row: topic, event, source, tag and details in this order. Each text is UTF-8 after its
/// length in bytes, which is a little-endian base-128 number (LEB128).
struct RecordHead {
    private var rest: UnsafeRawBufferPointer

    /// - Parameter bytes: Must be valid as long as this value is used.
    init(_ bytes: UnsafeRawBufferPointer) {
        rest = bytes
    }

    /// Reads the next text.
    mutating func next() throws -> String {
        var (length, shift) = (0, 0)
        while true {
            guard let byte = rest.first, shift < 42 else { throw Self.damage }
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst())
            length |= Int(byte & 0x7F) << shift
            if byte < 0x80 { break }
            shift += 7
        }
        guard length <= rest.count else { throw Self.damage }
        defer { rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(length)) }
        return String(decoding: rest.prefix(length), as: UTF8.self)
    }

    private static let damage = StoreDamage(detail: "the head of a message is unreadable")
}

/// Writes a head into a reusable buffer.
struct RecordHeadWriter: ~Copyable {
    /// The capacity that is kept between heads, in bytes.
    private static let usual = 4096

    // SAFETY: only this value refers to the buffer; it is freed in `deinit` and when a larger buffer replaces it.
    private var room = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.usual, alignment: 1)
    private var count = 0

    deinit { room.deallocate() }

    /// The head. Valid until the next mutation.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: room[..<count]) }

    mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            reserve(bytes.count + 10)
            var length = bytes.count
            while length >= 0x80 {
                room[count] = UInt8(truncatingIfNeeded: length) | 0x80
                count += 1
                length >>= 7
            }
            room[count] = UInt8(length)
            count += 1
            UnsafeMutableRawBufferPointer(rebasing: room[count...]).copyMemory(from: UnsafeRawBufferPointer(bytes))
            count += bytes.count
        }
    }

    /// Starts a new head and shrinks an unusually large buffer.
    mutating func clear() {
        count = 0
        if room.count > Self.usual { grow(to: Self.usual) }
    }

    private mutating func reserve(_ more: Int) {
        if room.count - count < more { grow(to: max(2 * room.count, count + more)) }
    }

    private mutating func grow(to size: Int) {
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 1)
        larger.copyMemory(from: bytes)
        room.deallocate()
        room = larger
    }
}
