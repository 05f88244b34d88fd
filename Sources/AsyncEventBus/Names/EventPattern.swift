/// A pattern of event names: segments joined by `.`, with `*` for one segment and a last `**` for the rest.
///
/// | pattern | matches | does not match |
/// |---|---|---|
/// | `climate.kitchen` | `climate.kitchen` | `climate`, `climate.kitchen.x` |
/// | `climate.*.temperature` | `climate.kitchen.temperature` | `climate.temperature` |
/// | `climate.**` | `climate`, `climate.kitchen`, `climate.a.b` | `weather` |
/// | `**` | every name that does not begin with `$` | `$bus.failed` |
///
/// `**` matches zero or more segments, `*` exactly one, which may be empty. A pattern that begins with a wildcard does
/// not match names that begin with `$`: a listener to all events does not receive reports about itself. In a literal
/// segment `.`, `*` and `%` are escaped as in an ``EventName``.
public struct EventPattern: Sendable {
    /// One segment of a pattern.
    enum Part: Hashable, Sendable {
        case literal(SegmentKey)
        case anySegment
        case anyRest
    }

    /// The spelling.
    public let text: String

    let parts: [Part]

    /// Parses a pattern.
    ///
    /// - Throws: ``EventBusError`` with code ``EventBusError/Code/invalidPattern`` if `text` is empty, if `**` is not
    ///   the last segment, or if a segment mixes `*` with text or has an invalid escape.
    public init(_ text: String) throws(EventBusError) {
        guard !text.isEmpty else {
            throw EventBusError(.invalidPattern, operation: "read pattern", detail: "write ** for every event")
        }
        var text = text
        text.makeContiguousUTF8()
        let segments = text.segmentsBetweenDots
        var parts: [Part] = []
        parts.reserveCapacity(segments.count)
        for (position, segment) in segments.enumerated() {
            switch segment {
            case "*":
                parts.append(.anySegment)
            case "**" where position == segments.count - 1:
                parts.append(.anyRest)
            case _ where Escaping.isCanonical(segment.utf8):
                parts.append(.literal(SegmentKey(segment)))
            default:
                throw EventBusError(
                    .invalidPattern,
                    operation: "read pattern \"\(text)\"",
                    detail: "* must be a whole segment, ** the last one, and %2A and %25 stand for * and % in text"
                )
            }
        }
        self.text = text
        self.parts = parts
    }

    /// Creates the pattern that matches only this name.
    public init(_ name: EventName) {
        text = name.text
        parts = name.escapedSegments.map { .literal(SegmentKey($0)) }
    }

    /// The only name that the pattern matches; nil if the pattern has a wildcard.
    public var exactName: EventName? {
        parts.contains { $0 == .anySegment || $0 == .anyRest } ? nil : EventName(spelled: text)
    }

    /// Whether the pattern matches a name.
    ///
    /// Walks the segments once. The bus does not call this for each listener: it has an index.
    public func matches(_ name: EventName) -> Bool {
        if name.isReserved, parts.first == .anySegment || parts.first == .anyRest { return false }
        let segments = name.escapedSegments
        for (position, part) in parts.enumerated() {
            if part == .anyRest { return true }
            guard position < segments.count else { return false }
            if case .literal(let literal) = part, literal != SegmentKey(segments[position]) { return false }
        }
        return parts.count == segments.count
    }
}

extension EventPattern: Hashable {
    /// Compares bytes.
    public static func == (left: EventPattern, right: EventPattern) -> Bool {
        left.text.hasSameBytes(as: right.text)
    }

    /// Hashes bytes.
    public func hash(into hasher: inout Hasher) {
        text.hashBytes(into: &hasher)
    }
}

extension EventPattern: ExpressibleByStringLiteral, CustomStringConvertible {
    /// Parses a literal. An invalid literal is a programmer's mistake and traps.
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
