@testable import AsyncEventBus
@testable import MQTTBridge
import TestSupport

/// The two sides of a random route, as parts, that have the same captures.
struct RandomTemplates {
    var topic: [Template.Part]
    var event: [Template.Part]

    /// - Parameter literal: Draws the text of a literal part.
    init(_ random: inout SplitMix64, captures: Int, literals: Int, literal: (inout SplitMix64) -> String) {
        let names = (0..<captures).map { "c\($0)" }
        let hasRest = random.chance(1, in: 2)
        func side(_ random: inout SplitMix64) -> [Template.Part] {
            var parts = names.map(Template.Part.capture)
            for _ in 0..<random.below(literals + 1) { parts.append(.literal(literal(&random))) }
            parts.shuffle(using: &random)
            if hasRest { parts.append(.rest("rest")) }
            // A template is not empty, nor is it one literal that is.
            return parts.isEmpty || parts == [.literal("")] ? [.literal("a")] : parts
        }
        topic = side(&random)
        event = side(&random)
    }

    var route: Route {
        get throws {
            Route(
                try TopicTemplate(Self.text(topic, "/") { $0 }),
                try EventTemplate(Self.text(event, ".") { Escaping.escaped($0) }),
                direction: .both
            )
        }
    }

    private static func text(_ parts: [Template.Part], _ separator: String, _ spell: (String) -> String) -> String {
        parts.map { part in
            switch part {
            case .literal(let text):
                // By scalars: a brace and a mark that combines with it are a brace as well.
                spell(text).unicodeScalars.map { "{}".unicodeScalars.contains($0) ? "\($0)\($0)" : "\($0)" }.joined()
            case .capture(let name): "{\(name)}"
            case .rest(let name): "{\(name)...}"
            }
        }.joined(separator: separator)
    }
}

/// All lists of 1 to `length` words.
func allLists(of words: [String], upTo length: Int) -> [[String]] {
    var result: [[String]] = []
    var longest: [[String]] = [[]]
    for _ in 0..<length {
        longest = longest.flatMap { list in words.map { list + [$0] } }
        result += longest
    }
    return result
}
