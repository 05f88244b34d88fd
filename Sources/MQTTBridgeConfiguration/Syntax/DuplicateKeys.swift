/// Renames duplicate keys, so that the parser, which stops at the first duplicate, finds the others.
///
/// The earlier key is replaced by private-use characters of the same length in scalars, so that no position changes.
struct DuplicateKeys {
    /// The most duplicate keys, and the most bytes to parse in total: each duplicate costs another pass of the parser.
    private static let limit = (keys: 32, bytes: 4 * 1024 * 1024)

    private var names: [String: String] = [:]

    /// Returns the name of a key before it was renamed.
    func original(of key: String) -> String { names[key] ?? key }

    /// Renames the earlier of two keys. Returns false if the source spells the key with escapes or a limit is reached.
    mutating func rename(_ key: String, at position: Position, in source: inout SourceText) -> Bool {
        guard names.count < Self.limit.keys, (names.count + 1) * source.bytes.count < Self.limit.bytes,
            let mark = Unicode.Scalar(0xE000 + UInt32(names.count))
        else {
            return false
        }
        let inside = Position(line: position.line, column: position.column + 1)
        let place =
            switch true {
            case source.holds("\"\(key)\"", at: position), source.holds("'\(key)'", at: position): inside
            default: position
            }
        guard !key.isEmpty, source.holds(key, at: place) else { return false }
        var name = ""
        for _ in key.unicodeScalars { name.unicodeScalars.append(mark) }
        source = source.replacing(key, at: place, with: name)
        names[name] = key
        return true
    }
}
