/// The spelling of a segment: `.`, `*` and `%` become `%2E`, `%2A` and `%25`; other text is unchanged.
package enum Escaping {
    private static let percent = UInt8(ascii: "%")

    /// Returns the spelling of a segment with this text.
    package static func escaped(_ text: String) -> String {
        guard text.utf8.contains(where: needsEscape) else { return text }
        var result: [UInt8] = []
        result.reserveCapacity(text.utf8.count + 8)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "."): result += "%2E".utf8
            case UInt8(ascii: "*"): result += "%2A".utf8
            case percent: result += "%25".utf8
            default: result.append(byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Returns the text of a spelled segment. The segment must be canonical.
    package static func unescaped(_ segment: Substring) -> String {
        guard segment.utf8.contains(percent) else { return String(segment) }
        var result: [UInt8] = []
        result.reserveCapacity(segment.utf8.count)
        var bytes = segment.utf8.makeIterator()
        while let byte = bytes.next() {
            guard byte == percent, bytes.next() == UInt8(ascii: "2"), let digit = bytes.next() else {
                result.append(byte)
                continue
            }
            switch digit {
            case UInt8(ascii: "E"): result.append(UInt8(ascii: "."))
            case UInt8(ascii: "A"): result.append(UInt8(ascii: "*"))
            default: result.append(percent)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Whether the bytes of a segment are its only valid spelling: no `*`, and `%` only in an escape.
    package static func isCanonical(_ segment: some Collection<UInt8>) -> Bool {
        var bytes = segment.makeIterator()
        while let byte = bytes.next() {
            if byte == UInt8(ascii: "*") { return false }
            guard byte == percent else { continue }
            guard bytes.next() == UInt8(ascii: "2"), let digit = bytes.next() else { return false }
            guard digit == UInt8(ascii: "E") || digit == UInt8(ascii: "A") || digit == UInt8(ascii: "5") else {
                return false
            }
        }
        return true
    }

    /// Whether the bytes contain a `*` or a `%`; nearly all names contain neither and are canonical. Eight bytes at a
    /// time.
    static func mayNeedLook(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var position = 0
        while position + 8 <= bytes.count {
            let word = unsafe bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            if holdsZero(word ^ 0x2a2a_2a2a_2a2a_2a2a) || holdsZero(word ^ 0x2525_2525_2525_2525) { return true }
            position += 8
        }
        while position < bytes.count {
            if unsafe bytes[position] == UInt8(ascii: "*") || bytes[position] == percent { return true }
            position += 1
        }
        return false
    }

    /// Whether a byte of the word is zero. (Anderson, Bit Twiddling Hacks.)
    private static func holdsZero(_ word: UInt64) -> Bool {
        (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080 != 0
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ".") || byte == UInt8(ascii: "*") || byte == percent
    }
}
