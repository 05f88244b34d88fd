/// Keys that a mapping has twice, renamed so that the parser, which stops at the first, goes on to find the rest.
///
/// The earlier key becomes a text of private-use characters of the same length, so that no position changes.
struct DuplicateKeys {
    /// Beyond that the file is given up, since each costs parsing it once more: so many keys, or bytes to parse.
    private static let limit = (keys: 32, bytes: 4 * 1024 * 1024)

    private var names: [String: String] = [:]

    /// The name that a key had before it was renamed, if it was.
    func original(of key: String) -> String { names[key] ?? key }

    /// Renames the earlier of two keys; false if it is not spelled there as it is read, or there are too many.
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
