/// Something that is wrong with a route: which, what, and how to mend it.
public struct RouteProblem: Error, Sendable, Hashable, CustomStringConvertible {
    /// The part of a route that is wrong.
    public enum Field: String, Sendable, Hashable {
        /// Its name.
        case name
        /// The broker it names.
        case broker
        /// Its topic template.
        case topic
        /// Its event template.
        case event
        /// Its direction.
        case direction
        /// Where its messages are kept.
        case durability
    }

    /// The position of the route in the list.
    public let route: Int
    /// The part that is wrong.
    public let field: Field
    /// What is wrong.
    public let message: String
    /// How to mend it.
    public let advice: String

    /// One line for people.
    public var description: String { "route \(route + 1), \(field.rawValue): \(message). \(advice)" }
}

/// All that is wrong with a list of routes.
public struct RouteProblems: Error, Sendable, CustomStringConvertible {
    /// The problems, in order of the routes; at least one.
    public let problems: [RouteProblem]

    /// One line each.
    public var description: String { problems.map(\.description).joined(separator: "\n") }
}
