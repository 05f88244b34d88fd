/// How far an emit goes.
public enum Scope: Sendable, Hashable {
    /// To the listeners on this bus and to every transport that has a route for it.
    case everywhere

    /// To the listeners on this bus only.
    case local

    /// To the transports only: listeners on this bus do not hear it.
    case transports

    var includesListeners: Bool { self != .transports }
    var includesTransports: Bool { self != .local }
}
