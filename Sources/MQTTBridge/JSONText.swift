import FoundationEssentials

/// JSON as text: enough to build small objects, and to take an object apart without touching the values.
package enum JSONText {
    /// A text as a JSON string, with what could harm a terminal or a log escaped as well.
    package static func string(_ text: String) -> String {
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
    package static func object(_ members: [(String, String)]) -> String {
        "{" + members.map { "\(string($0)):\($1)" }.joined(separator: ",") + "}"
    }

    /// Whether the bytes are one JSON value (RFC 8259) in UTF-8.
    static func isValid(_ bytes: [UInt8]) -> Bool {
        var scanner = JSONScanner(bytes)
        return scanner.document() != nil && String(validating: bytes, as: UTF8.self) != nil
    }

    /// The members of an object, each value as the bytes that stand there; nil if the bytes are no valid object.
    ///
    /// So a number keeps all its digits, and `data` comes out exactly as it went in. Of two members with one name the
    /// last counts.
    package static func members(_ bytes: [UInt8]) -> [String: ArraySlice<UInt8>]? {
        guard isValid(bytes) else { return nil }
        var scanner = JSONScanner(bytes)
        return scanner.members()
    }

    /// The text of a JSON string.
    package static func text(_ value: ArraySlice<UInt8>) -> String? {
        try? JSONDecoder().decode(String.self, from: Data(value))
    }
}
