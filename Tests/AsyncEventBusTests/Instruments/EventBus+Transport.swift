@testable import AsyncEventBus

/// What a transport does with one event or one name; they deal with batches and with destinations that they keep.
extension EventBus {
    /// The mailboxes of the named listeners that a name matches now.
    func named(for name: EventName) -> [NamedInbox] { receivers(at: destination(for: name)).named }

    /// Emits one event to all but the named listeners.
    func emitToUnnamed(_ event: Event, scope: Scope) {
        var batch = EmitBatch()
        batch.append(event, to: destination(for: event.name), includesNamed: false)
        emit(&batch, scope: scope)
    }
}
