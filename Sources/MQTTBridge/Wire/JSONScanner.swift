/// Validates JSON without copying: the grammar (RFC 8259), and that `\u` escapes stand for characters. Does not
/// validate UTF-8.
struct JSONScanner {
    private static let maximumDepth = 512

    private let bytes: [UInt8]
    private var position = 0
    /// Whether scanning failed at the escape of a lone surrogate, which is no character.
    private(set) var failedAtLoneSurrogate = false

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The JSON value without surrounding whitespace; nil if the bytes are not exactly one value.
    mutating func document() -> ArraySlice<UInt8>? {
        skipSpace()
        let start = position
        guard skipValue(depth: 0) else { return nil }
        let end = position
        skipSpace()
        return position == bytes.count ? bytes[start..<end] : nil
    }

    /// The members of the top-level object; nil if the bytes are not one object.
    ///
    /// - Parameter decode: Decodes the name of a member; nil if it is no text.
    mutating func members(decodingNames decode: (ArraySlice<UInt8>) -> String?) -> [String: ArraySlice<UInt8>]? {
        skipSpace()
        var members: [String: ArraySlice<UInt8>] = [:]
        var areNamesText = true
        let isObject = skipMembers(depth: 0) { name, value in
            if let name = decode(name) { members[name] = value } else { areNamesText = false }
        }
        skipSpace()
        return isObject && areNamesText && position == bytes.count ? members : nil
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skip(_ byte: Character) -> Bool {
        guard next == byte.asciiValue else { return false }
        position += 1
        return true
    }

    private mutating func skip(word: StaticString) -> Bool {
        let isThere = word.withUTF8Buffer { bytes[position...].starts(with: $0) }
        if isThere { position += word.utf8CodeUnitCount }
        return isThere
    }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { position += 1 }
    }

    private mutating func skipValue(depth: Int) -> Bool {
        guard depth < Self.maximumDepth, let byte = next else { return false }
        return switch byte {
        case UInt8(ascii: "{"): skipMembers(depth: depth) { _, _ in }
        case UInt8(ascii: "["): skipElements(depth: depth)
        case UInt8(ascii: "\""): skipString()
        case UInt8(ascii: "t"): skip(word: "true")
        case UInt8(ascii: "f"): skip(word: "false")
        case UInt8(ascii: "n"): skip(word: "null")
        default: skipNumber()
        }
    }

    private mutating func skipMembers(
        depth: Int,
        member: (_ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) -> Void
    ) -> Bool {
        guard skip("{") else { return false }
        skipSpace()
        if skip("}") { return true }
        repeat {
            skipSpace()
            let nameStart = position
            guard skipString() else { return false }
            let name = bytes[nameStart..<position]
            skipSpace()
            guard skip(":") else { return false }
            skipSpace()
            let valueStart = position
            guard skipValue(depth: depth + 1) else { return false }
            member(name, bytes[valueStart..<position])
            skipSpace()
        } while skip(",")
        return skip("}")
    }

    private mutating func skipElements(depth: Int) -> Bool {
        guard skip("[") else { return false }
        skipSpace()
        if skip("]") { return true }
        repeat {
            skipSpace()
            guard skipValue(depth: depth + 1) else { return false }
            skipSpace()
        } while skip(",")
        return skip("]")
    }

    private mutating func skipString() -> Bool {
        guard skip("\"") else { return false }
        while let byte = next, byte >= 0x20 {
            position += 1
            if byte == UInt8(ascii: "\"") { return true }
            if byte == UInt8(ascii: "\\"), !skipEscape() { return false }
        }
        return false
    }

    private mutating func skipEscape() -> Bool {
        guard !skip("u") else {
            guard let unit = skipUnit() else { return false }
            guard UTF16.isTrailSurrogate(unit) || UTF16.isLeadSurrogate(unit) else { return true }
            // The grammar allows lone surrogates, but receivers treat them differently (RFC 8259, section 8.2).
            if UTF16.isLeadSurrogate(unit), skip("\\"), skip("u"), let other = skipUnit(), UTF16.isTrailSurrogate(other)
            {
                return true
            }
            failedAtLoneSurrogate = true
            return false
        }
        guard let byte = next, "\"\\/bfnrt".utf8.contains(byte) else { return false }
        position += 1
        return true
    }

    /// The value of four hexadecimal digits; nil if there are not four.
    private mutating func skipUnit() -> UInt16? {
        let digits = bytes[position...].prefix(4)
        position += digits.count
        guard digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else { return nil }
        return UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
    }

    private mutating func skipNumber() -> Bool {
        _ = skip("-")
        guard skip("0") || skipDigits() else { return false }
        if skip("."), !skipDigits() { return false }
        guard skip("e") || skip("E") else { return true }
        if !skip("+") { _ = skip("-") }
        return skipDigits()
    }

    private mutating func skipDigits() -> Bool {
        let start = position
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        return position > start
    }
}
