/// The name of an event: one or more segments joined by `.`, as in `climate.kitchen.temperature`.
///
/// A segment may hold any text, even the empty text. In a segment `.`, `*` and `%` are written `%2E`, `%2A` and `%25`;
/// nothing else is escaped. So each list of segments has exactly one spelling, and each spelling one list. A single
/// empty segment has no name: its spelling would be empty.
///
/// Names compare by bytes, without Unicode normalisation.
///
/// Names whose first segment begins with `$` are reserved for the bus and its transports (`$bus.failed`). Patterns that
/// begin with a wildcard do not match them; see ``EventPattern``.
public struct EventName: Sendable {
    /// The spelling: the escaped segments, joined by `.`.
    public let text: String

    /// See ``NameHash``.
    let bytesHash: UInt64

    /// Parses a spelling.
    ///
    /// - Throws: ``EventBusError`` with code ``EventBusError/Code/invalidName`` if `text` is empty, contains a `*`, or
    ///   contains a `%` that does not begin `%2E`, `%2A` or `%25`.
    public init(_ text: String) throws(EventBusError) {
        guard !text.isEmpty else {
            throw EventBusError(.invalidName, operation: "read event name", detail: "a name cannot be empty")
        }
        // No escape spans a dot, so one pass can check the whole text.
        var text = text
        let (mayNeedLook, bytesHash) = text.withUTF8 { bytes in
            let bytes = UnsafeRawBufferPointer(bytes)
            return unsafe (Escaping.mayNeedLook(bytes), NameHash.of(bytes))
        }
        guard !mayNeedLook || Escaping.isCanonical(text.utf8) else {
            throw EventBusError(
                .invalidName,
                operation: "read event name \"\(text)\"",
                detail: "in a segment write %2A for *, %25 for % and %2E for a dot"
            )
        }
        self.text = text
        self.bytesHash = bytesHash
    }

    /// Creates the name of these segments, and escapes them.
    ///
    /// Returns nil for no segments, and for a single empty one.
    public init?(segments: some Collection<String>) {
        self.init(joining: Array(segments))
    }

    /// Takes a concrete type: a generic function is slow in other modules.
    private init?(joining segments: [String]) {
        guard let first = segments.first else { return nil }
        var text = Escaping.escaped(first)
        for segment in segments.dropFirst() {
            text += "."
            text += Escaping.escaped(segment)
        }
        guard !text.isEmpty else { return nil }
        self.init(spelled: text)
    }

    /// Creates a name from a spelling that is known to be valid.
    package init(spelled text: String) {
        var text = text
        bytesHash = text.withUTF8 { unsafe NameHash.of(UnsafeRawBufferPointer($0)) }
        self.text = text
    }

    /// The unescaped segments, in order.
    public var segments: [String] {
        escapedSegments.map { Escaping.unescaped($0) }
    }

    /// The escaped segments, in order.
    package var escapedSegments: [Substring] { text.segmentsBetweenDots }

    /// Whether the name is reserved for the bus and its transports: its first segment begins with `$`.
    public var isReserved: Bool {
        text.utf8.first == UInt8(ascii: "$")
    }
}

extension EventName: Hashable {
    /// Compares bytes.
    public static func == (left: EventName, right: EventName) -> Bool {
        left.bytesHash == right.bytesHash && left.text.hasSameBytes(as: right.text)
    }

    /// Hashes bytes.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(bytesHash)
    }
}

extension EventName: CustomStringConvertible {
    /// The spelling.
    public var description: String { text }
}
