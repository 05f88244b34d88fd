extension String {
    /// Whether both strings have the same UTF-8 bytes.
    ///
    /// `==` on strings compares by canonical equivalence: "é" in one scalar equals "é" in two. Names travel as
    /// bytes, so two byte sequences are two names.
    func hasSameBytes(as other: String) -> Bool {
        utf8.count == other.utf8.count && utf8.hasSameBytes(as: other.utf8)
    }

    /// The parts between the bytes `.`, empty parts included.
    ///
    /// Not a split by `Character`: a dot with a combining mark after it is one character, but still a dot.
    var segmentsBetweenDots: [Substring] {
        utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map { Substring($0) }
    }

    /// Hashes the UTF-8 bytes, consistently with ``hasSameBytes(as:)``.
    func hashBytes(into hasher: inout Hasher) {
        let hashed: Void? = unsafe utf8.withContiguousStorageIfAvailable {
            unsafe hasher.combine(bytes: UnsafeRawBufferPointer($0))
        }
        if hashed == nil {
            for byte in utf8 { hasher.combine(byte) }
        }
    }
}

extension String.UTF8View {
    /// Whether both have the same bytes; their counts must be equal.
    fileprivate func hasSameBytes(as other: String.UTF8View) -> Bool {
        let compared = unsafe withContiguousStorageIfAvailable { left in
            unsafe other.withContiguousStorageIfAvailable { right in
                unsafe UnsafeRawBufferPointer(left).hasSameBytes(as: UnsafeRawBufferPointer(right))
            }
        }
        return compared.flatMap(\.self) ?? elementsEqual(other)
    }
}

extension UnsafeRawBufferPointer {
    /// Whether both have the same bytes; their counts must be equal. Compares a word at a time.
    func hasSameBytes(as other: UnsafeRawBufferPointer) -> Bool {
        var position = 0
        while position + 8 <= count {
            let left = unsafe loadUnaligned(fromByteOffset: position, as: UInt64.self)
            guard unsafe left == other.loadUnaligned(fromByteOffset: position, as: UInt64.self) else { return false }
            position += 8
        }
        while position < count {
            guard unsafe self[position] == other[position] else { return false }
            position += 1
        }
        return true
    }
}

/// A segment of a name as a key: compares by bytes, and shares the storage of its name.
struct SegmentKey: Hashable, Sendable {
    let text: Substring

    init(_ text: Substring) {
        self.text = text
    }

    static func == (left: SegmentKey, right: SegmentKey) -> Bool {
        left.text.utf8.count == right.text.utf8.count && left.text.utf8.elementsEqual(right.text.utf8)
    }

    func hash(into hasher: inout Hasher) {
        let hashed: Void? = unsafe text.utf8.withContiguousStorageIfAvailable {
            unsafe hasher.combine(bytes: UnsafeRawBufferPointer($0))
        }
        if hashed == nil {
            for byte in text.utf8 { hasher.combine(byte) }
        }
    }
}

/// A text as a key: compares by bytes.
package struct ExactText: Hashable, Sendable {
    package let text: String

    package init(_ text: String) {
        self.text = text
    }

    package static func == (left: ExactText, right: ExactText) -> Bool {
        left.text.hasSameBytes(as: right.text)
    }

    package func hash(into hasher: inout Hasher) {
        text.hashBytes(into: &hasher)
    }
}
