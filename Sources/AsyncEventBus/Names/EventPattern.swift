/// Which names a listener wants: segments joined by `.`, where `*` stands for one segment and a last `**` for the rest.
///
/// | pattern | matches | does not match |
/// |---|---|---|
/// | `climate.kitchen` | `climate.kitchen` | `climate`, `climate.kitchen.x` |
/// | `climate.*.temperature` | `climate.kitchen.temperature` | `climate.temperature` |
/// | `climate.**` | `climate`, `climate.kitchen`, `climate.a.b` | `weather` |
/// | `**` | every name that does not begin with `$` | `$bus.failed` |
///
/// `**` stands for zero or more segments, `*` for exactly one, which may be empty. A pattern that begins with a
/// wildcard does not match names that begin with `$`: a listener to everything hears no reports about itself.
/// In a literal segment `.`, `*` and `%` are spelled as in an ``EventName``.
public struct EventPattern: Sendable {
    /// What one segment of a pattern asks for.
    enum Part: Hashable, Sendable {
        case literal(SegmentKey)
        case anySegment
        case anyRest
    }

    /// The spelling.
    public let text: String

    let parts: [Part]

    /// Reads a pattern.
    ///
    /// - Throws: ``EventBusError`` with code ``EventBusError/Code/invalidPattern`` if `text` is empty, if `**` is not
    ///   the last segment, or if a segment mixes `*` with text or is badly escaped.
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

    /// The pattern that matches one name and no other.
    public init(_ name: EventName) {
        text = name.text
        parts = name.escapedSegments.map { .literal(SegmentKey($0)) }
    }

    /// The name that the pattern stands for, if it holds no wildcard.
    public var exactName: EventName? {
        parts.contains { $0 == .anySegment || $0 == .anyRest } ? nil : EventName(spelled: text)
    }

    /// Whether an event of this name is wanted.
    ///
    /// Walks the segments once. The bus does not call this for each listener: it looks names up in an index.
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
    /// Reads a pattern written in the source. A wrong one is a programmer's mistake and traps.
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
