/// The progress of a transport with the deliveries that it makes of one event.
///
/// Lives while one ``EventBus/emitWhenRoom(_:_:attributes:scope:)-(_,Payload,_,_)`` offers the event to one transport.
public struct TransportProgress: Sendable {
    /// The settled deliveries (accepted or refused), as the transport numbers them.
    public var parts: Set<Int> = []

    /// Creates progress without settled deliveries.
    public init() {}
}
