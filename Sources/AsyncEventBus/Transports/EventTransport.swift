/// A transport: takes events out of the process, and brings others in.
///
/// **Out.** ``EventBus/attach(_:to:)`` gives a transport the events with matching names, through the two forms of
/// `take`. The bus calls them on the emitter's thread, in the order in which that thread emits: a transport hands the
/// event over and returns, and never blocks. Several threads may call at once. The bus holds no lock, so a transport
/// may call the bus. After ``EventBus/detach(_:from:)`` has returned, only emits that began earlier still call the
/// transport.
///
/// **In.** A transport emits one event with ``EventBus/emit(_:scope:)-(Event,_)``, or many at once with an
/// ``EventBatch`` and an ``EventDestination`` for each name. The ``EventOrigin`` of an event names the transport that brought it and the
/// link: a transport does not send an event back by that link.
///
/// **Acknowledged delivery.** A transport that stores events until listeners have finished finds the durable listeners
/// with ``EventBus/receivers(at:)``, and offers the events to each ``DurableMailbox`` with a ``DeliveryTracker``. The
/// other listeners receive them from a batch, with `includesDurable: false`.
///
/// **Loss.** A transport itself counts and reports the events for which it has no room.
public protocol EventTransport: AnyObject, Sendable {
    /// Takes an event of an emitter that does not wait, or declines it.
    ///
    /// If there is no room for a delivery, the transport discards it, counts and reports the loss, and refuses the
    /// delivery on the receipt.
    ///
    /// - Parameters:
    ///   - event: The event.
    ///   - receipt: Nil if the event is not tracked. The transport announces each delivery on it before it returns.
    func take(_ event: Event, receipt: TransportReceipt?)

    /// Takes an event of an emitter that waits, or declines it.
    ///
    /// - Parameters:
    ///   - event: The event.
    ///   - receipt: As for ``take(_:receipt:)``.
    ///   - progress: Records the settled deliveries, from one call for the event to the next.
    /// - Returns: Whether all deliveries are settled. If not, there is no room for the rest: the emitter awaits
    ///   ``waitForRoom(for:progress:)`` and calls again.
    func take(_ event: Event, receipt: TransportReceipt?, progress: inout TransportProgress) -> Bool

    /// Suspends until another attempt is worthwhile for the deliveries of an event that are not settled yet.
    ///
    /// - Throws: `CancellationError` if the emitter is cancelled; any other error ends the emit as well.
    func waitForRoom(for event: Event, progress: TransportProgress) async throws
}
