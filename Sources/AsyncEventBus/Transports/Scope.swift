/// The kinds of receivers that an emit reaches.
public enum Scope: Sendable, Hashable {
    /// The listeners on this bus, and each transport with a route for the event.
    case everywhere

    /// Only the listeners on this bus.
    case local

    /// Only the transports.
    case transports

    var includesListeners: Bool { self != .transports }
    var includesTransports: Bool { self != .local }
}
