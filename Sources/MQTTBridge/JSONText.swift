import FoundationEssentials

/// JSON as text: enough to build small objects, and to take an object apart without touching the values.
enum JSONText {
    /// A text as a JSON string, with what could harm a terminal or a log escaped as well.
    static func string(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value):
                let hex = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    /// An object of members whose values are JSON already.
    static func object(_ members: [(String, String)]) -> String {
        "{" + members.map { "\(string($0)):\($1)" }.joined(separator: ",") + "}"
    }

    /// Whether the bytes are one JSON value.
    static func isValid(_ bytes: some Collection<UInt8>) -> Bool {
        (try? JSONDecoder().decode(Anything.self, from: Data(bytes))) != nil
    }

    /// The members of an object, each value as the bytes that stand there; nil if the bytes are no valid object.
    ///
    /// So a number keeps all its digits, and `data` comes out exactly as it went in.
    static func members(_ bytes: [UInt8]) -> [String: ArraySlice<UInt8>]? {
        guard bytes.first(where: { !isSpace($0) }) == UInt8(ascii: "{"), isValid(bytes) else { return nil }
        var scanner = Scanner(bytes: bytes)
        return scanner.members()
    }

    /// The text of a JSON string.
    static func text(_ value: ArraySlice<UInt8>) -> String? {
        try? JSONDecoder().decode(String.self, from: Data(value))
    }

    /// Decodes from whatever there is.
    private struct Anything: Decodable {
        init(from decoder: any Decoder) throws {}
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    /// Walks JSON that is known to be valid.
    private struct Scanner {
        let bytes: [UInt8]
        var position = 0

        init(bytes: [UInt8]) {
            self.bytes = bytes
        }

        mutating func members() -> [String: ArraySlice<UInt8>]? {
            var members: [String: ArraySlice<UInt8>] = [:]
            skipSpace()
            position += 1
            while true {
                skipSpace()
                guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { return members }
                guard let name = JSONText.text(value()) else { return nil }
                skipSpace()
                position += 1
                skipSpace()
                members[name] = value()
                skipSpace()
                if position < bytes.count, bytes[position] == UInt8(ascii: ",") { position += 1 }
            }
        }

        private mutating func skipSpace() {
            while position < bytes.count, JSONText.isSpace(bytes[position]) { position += 1 }
        }

        private mutating func value() -> ArraySlice<UInt8> {
            let start = position
            var depth = 0
            while position < bytes.count {
                switch bytes[position] {
                case UInt8(ascii: "\""):
                    skipString()
                    if depth == 0 { return bytes[start..<position] }
                    continue
                case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"):
                    if depth == 0 { return bytes[start..<position] }
                    depth -= 1
                    if depth == 0 {
                        position += 1
                        return bytes[start..<position]
                    }
                case UInt8(ascii: ","), 0x20, 0x09...0x0D:
                    if depth == 0 { return bytes[start..<position] }
                default: break
                }
                position += 1
            }
            return bytes[start..<position]
        }

        private mutating func skipString() {
            position += 1
            while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
                position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
            }
            position += 1
        }
    }
}
