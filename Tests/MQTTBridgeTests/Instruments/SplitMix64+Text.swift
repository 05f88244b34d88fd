import TestSupport

extension SplitMix64 {
    /// What tends to break the handling of text and is legal in a topic.
    private static let nasty: [Unicode.Scalar] = [
        ".", "*", "%", "$", "{", "}", "2", "E", "A", "5", " ", "e", "\u{301}", "\u{e9}", "\u{200d}", "\u{fe0f}",
        "\u{1f3fd}", "\u{1f600}", "\u{1f1e9}", "\u{feff}", "\u{d7ff}", "\u{1100}", "\u{1161}", "\"", "\\", "\u{2028}",
    ]

    /// One level of a legal topic, often an ugly one, often empty. Never with `/`, `+` or `#`.
    mutating func level() -> String {
        var text = String.UnicodeScalarView()
        for _ in 0..<(chance(1, in: 4) ? 0 : below(6)) { text.append(legalScalar()) }
        return String(text)
    }

    /// A legal topic; not empty.
    mutating func topic() -> String {
        while true {
            let topic = (0...below(6)).map { _ in level() }.joined(separator: "/")
            if !topic.isEmpty { return topic }
        }
    }

    mutating func bytes(_ count: Int, from alphabet: String) -> [UInt8] {
        let alphabet = Array(alphabet.utf8)
        return (0..<count).map { _ in pick(alphabet) }
    }

    private mutating func legalScalar() -> Unicode.Scalar {
        guard chance(1, in: 3) else { return pick(Self.nasty) }
        while true {
            guard let scalar = Unicode.Scalar(UInt32(below(0x11_0000))) else { continue }
            let value = scalar.value
            let isControl = value < 0x20 || (0x7F...0x9F).contains(value)
            let isNoCharacter = (0xFDD0...0xFDEF).contains(value) || value & 0xFFFE == 0xFFFE
            if !isControl, !isNoCharacter, !"/+#".unicodeScalars.contains(scalar) { return scalar }
        }
    }
}
