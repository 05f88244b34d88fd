import Locking
import Synchronization

/// The bus as transports see it; see ``EventTransport``.
extension EventBus {
    // MARK: Out

    /// Offers the events whose name matches to a transport, from now on. A transport is offered each event once, however
    /// many of its patterns match.
    ///
    /// The bus keeps the transport until it is detached from all patterns.
    public func attach(_ transport: some EventTransport, to patterns: some Sequence<EventPattern>) {
        let receiver = Receiver(transport)
        registry.withLock { registry in
            for pattern in patterns { registry.add(receiver, to: pattern) }
        }
    }

    /// Offers no more events of these patterns to a transport. Emits that have begun may still reach it.
    public func detach(_ transport: some EventTransport, from patterns: some Sequence<EventPattern>) {
        let receiver = Receiver(transport)
        registry.withLock { registry in
            for pattern in patterns { registry.remove(receiver, from: pattern) }
        }
    }

    /// Offers the events of some patterns to another transport, in one step: no event goes to both, or to neither.
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

    /// Passes on an event that already has an identity, because a transport brought it in.
    public func emit(_ event: Event, scope: Scope = .everywhere) {
        dispatch(event.attempt(1), scope: scope, receipt: nil)
    }

    /// A place for the events of a name that a transport brings in.
    public func destination(for name: EventName) -> EventDestination {
        registry.withLock { $0.destination(for: name) }
    }

    /// Passes on events as if they were emitted one after the other, and empties the batch.
    ///
    /// Each transport is offered the events in their order, and then each mailbox takes all of its events, in their
    /// order, at once: the registry's lock is taken once, and that of each mailbox once. What is discarded is reported
    /// when all have been offered.
    public func emit(_ batch: inout EventBatch, scope: Scope = .everywhere) {
        batch.resolve(in: registry)
        if scope.includesTransports { batch.offerToTransports() }
        if scope.includesListeners { batch.offerToSinks() }
        batch.removeAll()
    }

    /// A number that no other event of this bus has: for an event that comes in without an identity.
    public func makeNumber() -> UInt64 { sequence.wrappingAdd(1, ordering: .relaxed).newValue }

    /// The identity of the event with a number from ``makeNumber()``.
    public func id(_ number: UInt64) -> EventID { EventID(source: source, sequence: number) }

    /// An event with a number from ``makeNumber()``, which a transport brought in without an identity.
    ///
    /// Cheaper than an event with ``id(_:)``, which it equals. If a transport makes several events of one message, it
    /// gives them the same number.
    ///
    /// - Parameter origin: Names this bus as the one that the event first entered.
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

    // MARK: Named listeners

    /// The mailboxes of the named listeners that hear the events of a destination now, and whether anybody else does.
    ///
    /// A transport that keeps events calls it for each event: a listener may come or leave in between.
    public func receivers(at destination: EventDestination) -> (named: [NamedMailbox], hasOthers: Bool) {
        // Let go of outside the lock.
        var outdated: [Receivers] = []
        let receivers = registry.withLock { destination.receivers(in: &$0, outdated: &outdated) }
        return (receivers.named, receivers.hasOthers)
    }

    /// The mailboxes of all named listeners that there are now.
    public func namedMailboxes() -> [NamedMailbox] {
        mailboxes.compactMap(\.asNamed)
    }

    /// The mailboxes of the named listeners that hear the events of a name now.
    public func namedMailboxes(hearing name: EventName) -> [NamedMailbox] {
        registry.withLock { $0.receivers(for: name) }.named
    }
}
