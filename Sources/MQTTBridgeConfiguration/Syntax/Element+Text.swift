import Mosquitto
import MQTTBridge
import Yams

extension Element {
    /// A text of the file after the substitution of variables.
    struct Text {
        let content: String
        /// The text before the substitution.
        let raw: String
        let isSubstituted: Bool
    }

    /// The keys of a route whose values a `RouteProblem` may show.
    private static let inRouteProblems: Set<String> = ["name", "broker", "topic", "event"]

    /// Reads a text; nil, with a complaint, for other kinds of values. Numbers and Booleans are texts as written.
    func text(_ expected: String, example: String) -> Text? {
        guard let scalar = node.scalar, !isEmpty else {
            complain(expected: expected, example: example)
            return nil
        }
        do throws(Substitution.Failure) {
            let substitution = try Substitution(scalar.string, environment: collector.environment)
            if Self.inRouteProblems.contains(name) {
                for (value, spelling) in substitution.values { collector.hide(value, spelling: spelling) }
            }
            return Text(content: substitution.text, raw: scalar.string, isSubstituted: !substitution.values.isEmpty)
        } catch {
            complain(error.message, error.advice, at: position(atScalar: error.offset))
            return nil
        }
    }

    /// Reads a text of at least one character, none of them a control character.
    func line(_ expected: String = "a text", example: String) -> Text? {
        guard let text = text(expected, example: example) else { return nil }
        guard !text.content.isEmpty else {
            complain("\"\(name)\" is empty", "Write \(example)")
            return nil
        }
        guard !text.content.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
            complain("\"\(name)\" holds a control character", "Remove it: not even a line break is allowed here")
            return nil
        }
        return text
    }

    /// Reads a line and converts it; nil, with a complaint, if `parse` returns nil.
    func convert<Value>(
        _ expected: String,
        example: String,
        _ parse: (String) -> Value?
    ) -> Value? {
        guard let text = line(expected, example: example) else { return nil }
        if let value = parse(text.content) { return value }
        complain("\"\(name)\" must be \(expected)\(shown(text))", "Write \(example)")
        return nil
    }

    /// Returns the text for a message; empty if it may be a secret or comes from a variable.
    func shown(_ text: Text) -> String {
        isSecret || text.isSubstituted ? "" : ", not \"\(escapedForLog(text.raw, limit: 40))\""
    }

    /// Reads a template. Complaints point to the position inside it.
    func template<Template>(
        example: String,
        _ parse: (String) throws(TemplateError) -> Template
    ) -> Template? {
        guard let text = text("a text", example: "\(example), with the quotes") else { return nil }
        if text.isSubstituted, bracesCameFromVariable(text) { return nil }
        do throws(TemplateError) {
            return try parse(text.content)
        } catch {
            let message = text.isSubstituted ? "not a template after the substitution of variables" : error.message
            let offset = text.content.prefix(error.offset).unicodeScalars.count
            let isLiteral = !text.isSubstituted && text.content == text.raw
            complain(message, error.advice, at: isLiteral ? position(atScalar: offset) : nil)
            return nil
        }
    }

    /// Refuses braces in the value of a variable: messages show captures, but never the value of a variable.
    private func bracesCameFromVariable(_ text: Text) -> Bool {
        let substitution = try? Substitution(text.raw, environment: collector.environment)
        guard
            let culprit = substitution?.values.first(where: { value, _ in
                value.utf8.contains(UInt8(ascii: "{")) || value.utf8.contains(UInt8(ascii: "}"))
            })
        else { return false }
        complain("the value of \(culprit.spelling) holds a brace", "Write captures, as {room}, in the file itself")
        return true
    }

    /// Returns the position of the scalar at this offset of the text; the start of the value for a folded text or a text
    /// with escapes.
    private func position(atScalar offset: Int) -> Position {
        guard let scalar = node.scalar else { return position }
        let quote =
            switch scalar.style {
            case .singleQuoted, .doubleQuoted: 1
            default: 0
            }
        let start = Position(line: position.line, column: position.column + quote)
        guard collector.source.holds(scalar.string, at: start) else { return position }
        return Position(line: start.line, column: start.column + offset)
    }
}
