@testable import AsyncEventBus
import TestSupport

/// A pattern as a list of texts, and the definition of matching spelled out: slow, and written without a look at the
/// real one.
struct NaivePattern: Hashable, CustomStringConvertible {
    let parts: [String]

    var description: String { parts.joined(separator: ".") }

    var eventPattern: EventPattern {
        get throws { try EventPattern(description) }
    }

    func naivelyMatches(_ name: NaiveName) -> Bool {
        if name.segments[0].hasPrefix("$"), parts[0].hasPrefix("*") { return false }
        return Self.matches(parts, name.segments)
    }

    private static func matches(_ parts: [String], _ segments: [String]) -> Bool {
        if parts == ["**"] { return true }
        if parts.isEmpty || segments.isEmpty { return parts.isEmpty && segments.isEmpty }
        return (parts[0] == "*" || parts[0] == segments[0])
            && matches(Array(parts.dropFirst()), Array(segments.dropFirst()))
    }
}

/// A name as a list of texts, none of which needs escaping.
struct NaiveName: Hashable, CustomStringConvertible {
    let segments: [String]

    var description: String { segments.joined(separator: ".") }

    var eventName: EventName {
        get throws { try EventName(description) }
    }
}

extension SplitMix64 {
    private static let alphabet = ["", "a", "b", "$", "$a"]

    mutating func name() -> NaiveName {
        let segments = (0...below(4)).map { _ in pick(Self.alphabet) }
        return segments == [""] ? name() : NaiveName(segments: segments)
    }

    mutating func pattern() -> NaivePattern {
        var parts = (0...below(4)).map { _ in chance(1, in: 3) ? "*" : pick(Self.alphabet) }
        if chance(1, in: 3) { parts[parts.count - 1] = "**" }
        return parts == [""] ? pattern() : NaivePattern(parts: parts)
    }
}
