import FoundationEssentials

/// JSON as text: builds small objects, and splits an object into members without decoding the values.
package enum JSONText {
    /// A JSON string literal. Also escapes the characters that could corrupt a terminal or a log, or deceive its
    /// reader: control characters, line separators, zero-width characters and bidirectional controls.
    package static func string(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where isHarmful(scalar):
                for unit in String(scalar).utf16 {
                    let hex = String(unit, radix: 16)
                    result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
                }
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    private static func isHarmful(_ scalar: Unicode.Scalar) -> Bool {
        guard scalar.value >= 0x7F else { return scalar.value < 0x20 }
        if scalar.properties.isDefaultIgnorableCodePoint { return true }
        return switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }

    /// An object; the member values are already JSON.
    package static func object(_ members: [(String, String)]) -> String {
        "{" + members.map { "\(string($0)):\($1)" }.joined(separator: ",") + "}"
    }

    /// Whether the bytes are one JSON value (RFC 8259) in UTF-8.
    static func isValid(_ bytes: [UInt8]) -> Bool {
        var scanner = JSONScanner(bytes)
        return scanner.document() != nil && String(validating: bytes, as: UTF8.self) != nil
    }

    /// Whether the bytes are rejected because of the escape of a lone surrogate, such as `\ud800`.
    package static func holdsHalfPair(_ bytes: [UInt8]) -> Bool {
        var scanner = JSONScanner(bytes)
        _ = scanner.document()
        return scanner.failedAtLoneSurrogate
    }

    /// The members of an object with their values as raw bytes; nil if the bytes are not a valid object.
    ///
    /// Raw bytes preserve all digits of a number, and `data` byte for byte. Of several members with the same name the
    /// last one is used.
    package static func members(_ bytes: [UInt8]) -> [String: ArraySlice<UInt8>]? {
        guard isValid(bytes) else { return nil }
        var scanner = JSONScanner(bytes)
        return scanner.members(decodingNames: text)
    }

    /// Decodes a JSON string; nil if `value` is not one.
    package static func text(_ value: ArraySlice<UInt8>) -> String? {
        try? JSONDecoder().decode(String.self, from: Data(value))
    }
}
