/// Why a text is not a template: where, what is wrong, and how to mend it.
public struct TemplateError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The template.
    public let template: String
    /// Where in it, in characters from 0.
    public let offset: Int
    /// What is wrong.
    public let message: String
    /// How to mend it.
    public let advice: String

    /// One line for people.
    public var description: String { "\"\(template)\", character \(offset + 1): \(message). \(advice)" }
}
