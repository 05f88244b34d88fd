import MessageStore

/// The texts of an inbound row, as they stand in its head: one after the other, each with the number of its bytes in
/// front, seven bits in a byte, the lowest first. These are the topic, the event, the source, the tag, the details.
struct RecordHead {
    private var rest: UnsafeRawBufferPointer

    /// - Parameter bytes: Must stay as long as this is used.
    init(_ bytes: UnsafeRawBufferPointer) {
        rest = bytes
    }

    /// The next text.
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

/// Puts a head together. Keeps its room for the next one.
struct RecordHeadWriter: ~Copyable {
    /// What is kept from one head to the next.
    private static let usual = 4096

    // SAFETY: this value is the only one that refers to it; freed in `deinit`, and where a larger one takes its place.
    private var room = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.usual, alignment: 1)
    private var count = 0

    deinit { room.deallocate() }

    /// What was put together. Stays until this value is changed.
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

    /// Begins anew.
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
