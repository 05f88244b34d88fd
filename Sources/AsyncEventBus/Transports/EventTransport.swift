/// A transport: takes events out of the process, and brings others in.
///
/// **Out.** ``EventBus/attach(_:to:)`` gives it the events whose names match, with the two forms of `take`.
/// They are called on the emitter's thread, in the order in which that thread emits: a transport hands over and returns,
/// and never blocks. Several threads may call at once. No lock of the bus is held, so a transport may call the bus.
/// A transport is called until ``EventBus/detach(_:from:)`` returns, and calls that have begun then run to their end.
///
/// **In.** It emits one event with ``EventBus/emit(_:scope:)``, or many at once with an ``EventBatch`` and an
/// ``EventDestination`` for each name. The ``EventOrigin`` of an event says which transport brought it and by which
/// link: a transport does not send an event back by that link.
///
/// **Acknowledged delivery.** A transport that keeps events until listeners have dealt with them finds the named
/// listeners with ``EventBus/receivers(at:)``, and offers the events to each ``NamedMailbox`` with a
/// ``DeliveryTracker``. The other listeners get them from a batch, with `includesNamed: false`.
///
/// **Loss.** What a transport has no room for is its own to count and to report.
public protocol EventTransport: AnyObject, Sendable {
    /// Takes an event of an emitter that does not wait, or declines it.
    ///
    /// If there is no room for a delivery, the transport gives it up, counts and reports that, and refuses it on the
    /// receipt.
    ///
    /// - Parameter receipt: Nil if nobody follows the event. Each delivery is announced on it before the call returns.
    func take(_ event: Event, receipt: TransportReceipt?)

    /// Takes an event of an emitter that waits, or declines it.
    ///
    /// - Parameters:
    ///   - receipt: As for ``take(_:receipt:)``.
    ///   - progress: Remembers the deliveries that are dealt with, from one call for the event to the next.
    /// - Returns: Whether all of it is dealt with. If not, there is no room for the rest: the emitter awaits
    ///   ``waitForRoom(for:progress:)`` and calls again.
    func take(_ event: Event, receipt: TransportReceipt?, progress: inout TransportProgress) -> Bool

    /// Suspends until another try is worth it for the deliveries of an event that are not dealt with yet.
    ///
    /// - Throws: `CancellationError` if the emitter is cancelled; any other error ends the emit as well.
    func waitForRoom(for event: Event, progress: TransportProgress) async throws
}
