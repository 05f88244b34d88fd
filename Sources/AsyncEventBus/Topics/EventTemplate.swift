/// The events of a topic or a route: `climate.{room}.temperature`.
///
/// Dots separate segments. A `{name}` matches one segment; a final `{name...}` matches all remaining segments, which
/// may be none. In a literal segment `.`, `*` and `%` are written `%2E`, `%2A` and `%25`, as in every name.
public struct EventTemplate: Sendable, Hashable {
    package let template: Template

    /// The text of the template as written.
    public var text: String { template.text }

    /// Parses a template.
    ///
    /// - Throws: ``TemplateError`` for a syntax error.
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

    /// The pattern of the names that match: `climate.*.temperature`.
    public var pattern: EventPattern { template.pattern }

    /// The names of the captures, in order.
    public var captures: [String] { template.captures }
}

extension EventTemplate: ExpressibleByStringLiteral, CustomStringConvertible {
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

extension Template {
    /// The pattern of the names whose segments match.
    package var pattern: EventPattern {
        let text = parts.map { part in
            switch part {
            case .literal(let text): Escaping.escaped(text)
            case .capture: "*"
            case .rest: "**"
            }
        }.joined(separator: ".")
        // Never empty, since a template is not; a pattern literal must not be empty either.
        return EventPattern(stringLiteral: text.isEmpty ? "%25empty" : text)
    }
}
