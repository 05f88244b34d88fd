import AsyncEventBus

/// The identity as one text, `SOURCE/TAG`, since each user property costs libmosquitto more than the message.
///
/// The last slash separates the two: `/` and `%` in a tag are escaped as `%2F` and `%25`. Works on bytes, since Swift
/// joins a slash and a following combining mark into one character.
extension EventID {
    private static let (slash, percent) = (UInt8(ascii: "/"), UInt8(ascii: "%"))

    /// The inverse of ``init(wireText:)``.
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

    /// Nil if the source or the tag is missing, or a `%` begins no known escape.
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
