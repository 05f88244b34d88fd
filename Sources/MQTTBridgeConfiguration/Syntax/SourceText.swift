/// A position in a file: line and column from 1, columns in Unicode scalars.
struct Position: Hashable {
    let line: Int
    let column: Int

    /// The file as a whole.
    static let file = Position(line: 0, column: 0)
    static let start = Position(line: 1, column: 1)
}

/// The text of a file with an index of its lines.
struct SourceText {
    let bytes: [UInt8]
    /// The byte offsets of lines by the line breaks of YAML 1.1, so that positions agree with the parser's.
    private let lineStarts: [Int]
    /// The number of scalars before each line.
    private let scalarsBefore: [Int]
    /// The byte offset of every 256th scalar: a file may have a single line with ten thousand mistakes.
    private let marks: [Int]
    private static let markDistance = 256

    init(_ text: String) {
        // The parser would count a byte order mark as a column.
        var bytes = Array(text.utf8)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
        var starts = [0]
        var offset = 0
        while offset < bytes.count {
            let length = Self.lengthOfBreak(bytes[offset...])
            offset += max(length, 1)
            if length > 0 { starts.append(offset) }
        }
        var (scalars, marks, before, line) = (0, [Int](), [Int](), 0)
        for (offset, byte) in bytes.enumerated() {
            if line < starts.count, starts[line] == offset {
                before.append(scalars)
                line += 1
            }
            guard byte & 0xC0 != 0x80 else { continue }
            if scalars.isMultiple(of: Self.markDistance) { marks.append(offset) }
            scalars += 1
        }
        while before.count < starts.count { before.append(scalars) }
        self.bytes = bytes
        lineStarts = starts
        scalarsBefore = before
        self.marks = marks
    }

    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The position after the last character.
    var end: Position {
        let last = bytes[(lineStarts.last ?? 0)...]
        return Position(line: lineStarts.count, column: 1 + String(decoding: last, as: UTF8.self).unicodeScalars.count)
    }

    private static func lengthOfBreak(_ bytes: ArraySlice<UInt8>) -> Int {
        switch bytes.first {
        case 0x0A: 1
        case 0x0D: bytes.dropFirst().first == 0x0A ? 2 : 1
        case 0xC2: bytes.starts(with: [0xC2, 0x85]) ? 2 : 0
        case 0xE2: bytes.starts(with: [0xE2, 0x80, 0xA8]) || bytes.starts(with: [0xE2, 0x80, 0xA9]) ? 3 : 0
        default: 0
        }
    }

    /// The first character that YAML does not allow (YAML 1.1, section 5.1), with its code point.
    var illegalCharacter: (position: Position, value: UInt32)? {
        var (line, column) = (1, 1)
        var last: UInt32 = 0
        for scalar in text.unicodeScalars {
            let value = scalar.value
            switch value {
            case 0x0A where last == 0x0D: break
            case 0x0A, 0x0D, 0x85, 0x2028, 0x2029: (line, column) = (line + 1, 1)
            case 0x09, 0x20...0x7E, 0xA0...0xFFFD, 0x10000...: column += 1
            default: return (Position(line: line, column: column), value)
            }
            last = value
        }
        return nil
    }

    /// Whether the source contains exactly this text at a position.
    func holds(_ text: String, at position: Position) -> Bool {
        guard let offset = offset(of: position) else { return false }
        return bytes[offset...].starts(with: text.utf8)
    }

    /// Returns a copy with `other` in place of `text` at a position.
    func replacing(_ text: String, at position: Position, with other: String) -> SourceText {
        guard let offset = offset(of: position) else { return self }
        var bytes = bytes
        bytes.replaceSubrange(offset..<(offset + text.utf8.count), with: other.utf8)
        return SourceText(String(decoding: bytes, as: UTF8.self))
    }

    private func offset(of position: Position) -> Int? {
        guard lineStarts.indices.contains(position.line - 1) else { return nil }
        let wanted = scalarsBefore[position.line - 1] + max(position.column, 1) - 1
        let mark = wanted / Self.markDistance
        guard mark < marks.count else { return wanted == 0 ? 0 : nil }
        var offset = marks[mark]
        for _ in 0..<wanted - mark * Self.markDistance {
            guard offset < bytes.count else { return nil }
            offset += 1
            while offset < bytes.count, bytes[offset] & 0xC0 == 0x80 { offset += 1 }
        }
        return offset
    }
}
