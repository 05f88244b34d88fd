@testable import AsyncEventBus

/// What a transport does with one event or one name; they deal with batches and with destinations that they keep.
extension EventBus {
    /// The mailboxes of the named listeners that a name matches now.
    func named(for name: EventName) -> [NamedMailbox] { receivers(at: destination(for: name)).named }

    /// An event that a transport brought in.
    func event(_ name: EventName, _ payload: Payload) -> Event {
        Event(id: id(makeNumber()), name: name, payload: payload, origin: EventOrigin(bus: "test"))
    }

    /// Emits one event to all but the named listeners.
    func emitToUnnamed(_ event: Event, scope: Scope) {
        var batch = EventBatch()
        batch.append(event, to: destination(for: event.name), includesNamed: false)
        emit(&batch, scope: scope)
    }
}
