import TestSupport

extension SplitMix64 {
    /// What tends to break the handling of text: separators, escapes, joiners, marks that combine with a dot.
    private static let nasty: [Unicode.Scalar] = [
        ".", "*", "%", "$", "/", "+", "#", "2", "E", "A", "5", " ", "\0", "\r", "\n", "\u{301}", "\u{e9}", "e",
        "\u{200d}",
        "\u{fe0f}", "\u{1f3fd}", "\u{1f600}", "\u{1f1e9}", "\u{feff}", "\u{10ffff}", "\u{d7ff}", "\u{1100}", "\u{1161}",
    ]

    /// Any text, often an ugly one, often empty.
    mutating func text() -> String {
        var text = String.UnicodeScalarView()
        for _ in 0..<(chance(1, in: 4) ? 0 : below(8)) { text.append(scalar()) }
        return String(text)
    }

    private mutating func scalar() -> Unicode.Scalar {
        guard chance(1, in: 3) else { return pick(Self.nasty) }
        return Unicode.Scalar(UInt32(below(0x11_0000))) ?? "\u{fffd}"
    }
}
