/// The name of an event: one or more segments joined by `.`, as in `climate.kitchen.temperature`.
///
/// A segment may hold any text, the empty text included. Inside a segment `.`, `*` and `%` are written `%2E`, `%2A`
/// and `%25`, and nothing else is escaped, so that every list of segments has exactly one spelling and back.
/// The one list that has no name is a single empty segment, whose spelling would be the empty text.
///
/// Two names are equal when their bytes are: no Unicode normalisation takes place.
///
/// Names whose first segment begins with `$` are for the bus and its transports (`$bus.failed`). Patterns that begin
/// with a wildcard do not match them; see ``EventPattern``.
public struct EventName: Sendable {
    /// The spelling: segments, escaped, joined by `.`.
    public let text: String

    /// See ``NameHash``.
    let bytesHash: UInt64

    /// Reads a spelling.
    ///
    /// - Throws: ``EventBusError`` with code ``EventBusError/Code/invalidName`` if `text` is empty, holds a `*`, or
    ///   holds a `%` that does not begin `%2E`, `%2A` or `%25`.
    public init(_ text: String) throws(EventBusError) {
        guard !text.isEmpty else {
            throw EventBusError(.invalidName, operation: "read event name", detail: "a name cannot be empty")
        }
        // No escape spans a dot, so that the whole text can be looked at in one pass.
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

    /// Makes the name that has these segments, escaping where needed.
    ///
    /// Returns nil for no segments and for a single empty one.
    public init?(segments: some Collection<String>) {
        self.init(joining: Array(segments))
    }

    /// Of a type that is known, since a function for all collections is a slow one in other modules.
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

    /// Makes a name from a spelling that is known to be right.
    package init(spelled text: String) {
        var text = text
        bytesHash = text.withUTF8 { unsafe NameHash.of(UnsafeRawBufferPointer($0)) }
        self.text = text
    }

    /// The segments, unescaped, in order. Joining and escaping them gives ``text`` again.
    public var segments: [String] {
        escapedSegments.map { Escaping.unescaped($0) }
    }

    /// The segments as they are spelled.
    package var escapedSegments: [Substring] { text.segmentsBetweenDots }

    /// Whether the name is kept for the bus and its transports: its first segment begins with `$`.
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

extension EventName: ExpressibleByStringLiteral, CustomStringConvertible {
    /// Reads a spelling written in the source. A wrong one is a programmer's mistake and traps.
    public init(stringLiteral text: String) {
        do {
            try self.init(text)
        } catch {
            preconditionFailure("\(error)")
        }
    }

    /// The spelling.
    public var description: String { text }
}
