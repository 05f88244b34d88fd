import Locking
import Synchronization

/// The interface of the bus for transports; see ``EventTransport``.
extension EventBus {
    // MARK: Out

    /// Offers events with matching names to a transport, from now on. Each event is offered once, however many patterns
    /// of the transport match.
    ///
    /// The bus retains the transport until it is detached from all patterns.
    public func attach(_ transport: some EventTransport, to patterns: some Sequence<EventPattern>) {
        let receiver = Receiver(transport)
        registry.withLock { registry in
            for pattern in patterns { registry.add(receiver, to: pattern) }
        }
    }

    /// Stops offering events of these patterns to a transport. Emits that have begun may still reach it.
    public func detach(_ transport: some EventTransport, from patterns: some Sequence<EventPattern>) {
        let receiver = Receiver(transport)
        registry.withLock { registry in
            for pattern in patterns { registry.remove(receiver, from: pattern) }
        }
    }

    /// Detaches a transport and attaches another one, in one step: no event goes to both, or to neither.
    public func exchange(
        _ transport: some EventTransport,
        from patterns: some Sequence<EventPattern>,
        for other: some EventTransport,
        to otherPatterns: some Sequence<EventPattern>
    ) {
        let (receiver, otherReceiver) = (Receiver(transport), Receiver(other))
        registry.withLock { registry in
            for pattern in patterns { registry.remove(receiver, from: pattern) }
            for pattern in otherPatterns { registry.add(otherReceiver, to: pattern) }
        }
    }

    // MARK: In

    /// Emits an event that already has an identity, because a transport brought it in.
    public func emit(_ event: Event, scope: Scope = .everywhere) {
        dispatch(event.attempt(1), to: receivers(for: event.name), scope: scope, receipt: nil)
    }

    /// Returns a destination for the events of a name that a transport brings in.
    public func destination(for name: EventName) -> EventDestination {
        registry.withLock { $0.destination(for: name) }
    }

    /// Emits the events of a batch in order, and empties the batch.
    ///
    /// The bus first offers the events to each transport, in order. Then it offers each mailbox all of its events at
    /// once, in order. It takes the lock of the registry once, and that of each mailbox once. A mailbox reports
    /// discarded events after it has been offered all of its events.
    public func emit(_ batch: inout EventBatch, scope: Scope = .everywhere) {
        batch.resolve(in: registry)
        if scope.includesTransports { batch.offerToTransports() }
        if scope.includesListeners { batch.offerToSinks() }
        batch.removeAll()
    }

    /// Returns a number that no other event of this bus has: for an event that arrives without an identity.
    public func makeNumber() -> UInt64 { sequence.wrappingAdd(1, ordering: .relaxed).newValue }

    /// Returns the identity of the event with a number from ``makeNumber()``.
    public func id(_ number: UInt64) -> EventID { EventID(source: source, sequence: number) }

    /// Creates an event with a number from ``makeNumber()``, for a transport that received it without an identity.
    ///
    /// Cheaper than an event with ``id(_:)``, which it equals. If a transport creates several events from one message,
    /// it gives them the same number.
    ///
    /// - Parameters:
    ///   - number: From ``makeNumber()``.
    ///   - name: The name of the event.
    ///   - payload: What the event carries.
    ///   - time: When the event was emitted.
    ///   - origin: Names this bus as the one that the event first entered.
    ///   - attributes: The metadata of the message.
    public func makeEvent(
        _ number: UInt64,
        _ name: EventName,
        _ payload: Payload,
        time: Timestamp,
        origin: EventOrigin,
        attributes: EventAttributes
    ) -> Event {
        Event(sequence: number, name: name, payload: payload, time: time, origin: origin, attributes: attributes)
    }

    // MARK: Durable listeners

    /// Returns the mailboxes of the durable listeners that now receive the events of a destination, and whether it has
    /// other receivers.
    ///
    /// A transport that stores events calls this for each event: listeners may come and leave in between.
    public func receivers(at destination: EventDestination) -> (durable: [DurableMailbox], hasOthers: Bool) {
        // Released outside the lock.
        var outdated: [Receivers] = []
        let receivers = registry.withLock { destination.receivers(in: &$0, outdated: &outdated) }
        return (receivers.durable, receivers.hasOthers)
    }

    /// Returns the mailboxes of all durable listeners.
    public func durableMailboxes() -> [DurableMailbox] {
        mailboxes.compactMap(\.asDurable)
    }

    /// Returns the mailboxes of the durable listeners that now receive the events of a name.
    public func durableMailboxes(hearing name: EventName) -> [DurableMailbox] {
        registry.withLock { $0.receivers(for: name) }.durable
    }
}
