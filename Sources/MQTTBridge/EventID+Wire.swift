import AsyncEventBus

/// Identities as one text, `SOURCE/TAG`: each user property costs libmosquitto more than the message.
///
/// Parted at the last slash, which a tag does not hold: `/` and `%` in a tag are `%2F` and `%25`. By bytes: a slash
/// before a combining mark is a slash.
extension EventID {
    private static let (slash, percent) = (UInt8(ascii: "/"), UInt8(ascii: "%"))

    /// What ``init(wireText:)`` makes this identity of.
    var wireText: String {
        if let text = numberedText { return text }
        var escaped: [UInt8] = []
        for byte in tag.utf8 {
            switch byte {
            case Self.slash: escaped += "%2F".utf8
            case Self.percent: escaped += "%25".utf8
            default: escaped.append(byte)
            }
        }
        return source + "/" + String(decoding: escaped, as: UTF8.self)
    }

    /// Nil where one half is missing, or a `%` means nothing.
    init?(wireText text: String) {
        guard let slash = text.utf8.lastIndex(of: Self.slash), slash > text.startIndex,
            let tag = Self.unescaped(text[slash...].utf8.dropFirst()), !tag.isEmpty
        else { return nil }
        self.init(source: String(text[..<slash]), tag: tag)
    }

    private static func unescaped(_ text: Substring.UTF8View) -> String? {
        guard text.contains(percent) else { return String(Substring(text)) }
        var (bytes, rest): ([UInt8], Substring.UTF8View) = ([], text)
        while let byte = rest.popFirst() {
            guard byte == percent else {
                bytes.append(byte)
                continue
            }
            if rest.starts(with: "2F".utf8) {
                bytes.append(slash)
            } else if rest.starts(with: "25".utf8) {
                bytes.append(percent)
            } else {
                return nil
            }
            rest.removeFirst(2)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
