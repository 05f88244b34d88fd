@testable import AsyncEventBus

/// What a transport does with one event or one name; they deal with batches and with destinations that they keep.
extension EventBus {
    /// The mailboxes of the durable listeners that a name matches now.
    func durable(for name: EventName) -> [DurableMailbox] { receivers(at: destination(for: name)).durable }

    /// An event that a transport brought in.
    func event(_ name: EventName, _ payload: Payload) -> Event {
        Event(id: id(makeNumber()), name: name, payload: payload, origin: EventOrigin(bus: "test"))
    }

    /// Emits one event to all but the durable listeners.
    func emitToOthers(_ event: Event, scope: Scope) {
        var batch = EventBatch()
        batch.append(event, to: destination(for: event.name), includesDurable: false)
        emit(&batch, scope: scope)
    }
}
