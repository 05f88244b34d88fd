/// A syntax error in a template, with advice how to fix it.
public struct TemplateError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The text of the template.
    public let template: String
    /// The position of the error, in characters from 0.
    public let offset: Int
    /// The problem, without a full stop.
    public let message: String
    /// How to fix it, without a full stop.
    public let advice: String

    /// One line for display. Not escaped: `template` may hold control characters.
    public var description: String { "\"\(template)\", character \(offset + 1): \(message). \(advice)" }
}
