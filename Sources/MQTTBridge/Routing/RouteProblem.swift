import Mosquitto

/// A problem of a route, with advice how to fix it.
public struct RouteProblem: Error, Sendable, Hashable, CustomStringConvertible {
    /// The part of a route that has a problem.
    public enum Field: String, Sendable, Hashable {
        /// ``Route/name``
        case name
        /// ``Route/broker``
        case broker
        /// ``Route/topic``
        case topic
        /// ``Route/event``
        case event
        /// ``Route/direction-swift.property``
        case direction
        /// ``Route/durability``
        case durability
    }

    /// The position of the route in the list, from 0.
    public let route: Int
    /// The part of the route that has the problem.
    public let field: Field
    /// The problem, without a full stop.
    public let message: String
    /// How to fix it, without a full stop.
    public let advice: String

    /// One line for display: at most 4,096 characters, with control characters escaped.
    public var description: String {
        let text = "route \(route + 1), \(field.rawValue): \(message). \(advice)"
        return escapedForLog(text, limit: 4_096)
    }
}

/// The problems of a list of routes.
public struct RouteProblems: Error, Sendable, CustomStringConvertible {
    /// The problems, in order of the routes; at least one.
    public let problems: [RouteProblem]

    /// One line per problem.
    public var description: String { problems.map(\.description).joined(separator: "\n") }
}
