/// How far a transport has come with one event, of which it makes several deliveries.
///
/// Lives as long as one ``EventBus/emitWhenRoom(_:_:attributes:scope:)`` is offered to one transport.
public struct TransportProgress: Sendable {
    /// The deliveries that are dealt with, as the transport numbers them.
    public var parts: Set<Int> = []

    /// Nothing is dealt with.
    public init() {}
}
