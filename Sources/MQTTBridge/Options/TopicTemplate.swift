import AsyncEventBus
import Mosquitto

/// The topics of a route: `home/{room}/temperature`.
///
/// A `{name}` matches one level, which may be empty; a final `{name...}` matches all remaining levels, which may be
/// none: `home/{rest...}` matches `home` as well. A template that begins with a capture does not match topics that
/// begin with `$` (MQTT 5, section 4.7.2).
public struct TopicTemplate: Sendable, Hashable {
    let template: Template

    /// The text of the template as written.
    public var text: String { template.text }

    /// Parses a template.
    ///
    /// - Throws: ``/AsyncEventBus/TemplateError`` for a syntax error.
    public init(_ text: String) throws(TemplateError) {
        template = try Template(text, separator: "/") { literal in
            if literal.utf8.contains(where: { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "#") }) {
                return .failure(
                    TemplateProblem(
                        "+ and # are not used in templates",
                        "Write {name} for one level and {name...} for the rest"
                    )
                )
            }
            do throws(ClientError) {
                if !literal.isEmpty { try TopicRules.check(topic: literal) }
                return .success(literal)
            } catch {
                return .failure(TemplateProblem(error.detail, "Remove it"))
            }
        }
    }

    /// The MQTT topic filter that matches these topics.
    public var filter: String {
        template.parts.map { part in
            switch part {
            case .literal(let text): text
            case .capture: "+"
            case .rest: "#"
            }
        }.joined(separator: "/")
    }

    var isReserved: Bool { template.isReserved }

    /// The pattern of the names that ``name(ofTopic:)`` gives to these topics.
    var pattern: EventPattern { template.pattern }

    static func levels(of topic: String) -> [String] {
        topic.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map { String(Substring($0)) }
    }

    /// The name whose segments are the levels of a topic. Every topic has one.
    static func name(ofTopic topic: String) -> EventName? {
        EventName(segments: levels(of: topic))
    }
}

extension TopicTemplate: ExpressibleByStringLiteral, CustomStringConvertible {
    /// Parses a template in the source code; traps on a syntax error.
    public init(stringLiteral text: String) {
        do {
            try self.init(text)
        } catch {
            preconditionFailure("\(error)")
        }
    }

    /// The text of the template as written.
    public var description: String { text }
}
