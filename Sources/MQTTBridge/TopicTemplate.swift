import AsyncEventBus
import Mosquitto

/// The topics of a route: `home/{room}/temperature`.
///
/// A `{name}` stands for one level, which may be empty; a last `{name...}` for the rest, which may be nothing:
/// `home/{rest...}` stands for `home` as well. A template that begins with a capture does not stand for topics that
/// begin with `$` (MQTT 5, section 4.7.2).
public struct TopicTemplate: Sendable, Hashable {
    let template: Template

    /// As it is written.
    public var text: String { template.text }

    /// Reads a template.
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

    /// The filter that asks a broker for these topics.
    public var filter: String {
        template.parts.map { part in
            switch part {
            case .literal(let text): text
            case .capture: "+"
            case .rest: "#"
            }
        }.joined(separator: "/")
    }

    /// Whether it names topics that begin with `$`, which are the broker's own.
    var isReserved: Bool { template.isReserved }

    /// The pattern of the names that its topics have as names.
    var pattern: EventPattern { template.pattern }

    /// The levels of a topic.
    static func levels(of topic: String) -> [String] {
        topic.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map { String(Substring($0)) }
    }

    /// The name that a topic has when each level becomes a segment. Every topic has one.
    static func name(ofTopic topic: String) -> EventName? {
        EventName(segments: levels(of: topic))
    }
}

/// The events of a route: `climate.{room}.temperature`.
///
/// Segments between dots; a `{name}` stands for one, a last `{name...}` for the rest, which may be nothing. In a literal
/// segment `.`, `*` and `%` are spelled `%2E`, `%2A` and `%25`, as in every name.
public struct EventTemplate: Sendable, Hashable {
    let template: Template

    /// As it is written.
    public var text: String { template.text }

    /// Reads a template.
    public init(_ text: String) throws(TemplateError) {
        template = try Template(text, separator: ".") { literal in
            guard Escaping.isCanonical(literal.utf8) else {
                return .failure(
                    TemplateProblem(
                        "* and a bare % cannot be part of a segment",
                        "Write {name} for one segment and {name...} for the rest; %2A and %25 for the characters"
                    )
                )
            }
            return .success(Escaping.unescaped(Substring(literal)))
        }
    }

    /// The pattern of these events.
    var pattern: EventPattern { template.pattern }
}

extension TopicTemplate: ExpressibleByStringLiteral, CustomStringConvertible {
    /// Reads a template written in the source. A wrong one is a programmer's mistake and traps.
    public init(stringLiteral text: String) {
        do {
            try self.init(text)
        } catch {
            preconditionFailure("\(error)")
        }
    }

    /// As it is written.
    public var description: String { text }
}

extension EventTemplate: ExpressibleByStringLiteral, CustomStringConvertible {
    /// Reads a template written in the source. A wrong one is a programmer's mistake and traps.
    public init(stringLiteral text: String) {
        do {
            try self.init(text)
        } catch {
            preconditionFailure("\(error)")
        }
    }

    /// As it is written.
    public var description: String { text }
}

extension Template {
    /// The pattern of the names whose segments fit.
    var pattern: EventPattern {
        let text = parts.map { part in
            switch part {
            case .literal(let text): Escaping.escaped(text)
            case .capture: "*"
            case .rest: "**"
            }
        }.joined(separator: ".")
        // An empty text would be the one literal part that is empty, which no topic and no name has.
        return EventPattern(stringLiteral: text.isEmpty ? "%25empty" : text)
    }
}
