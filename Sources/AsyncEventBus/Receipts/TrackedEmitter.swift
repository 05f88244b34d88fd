/// Emits events on a bus and returns a receipt for each: see ``EventBus/tracked``.
public struct TrackedEmitter: Sendable {
    let bus: EventBus

    init(bus: EventBus) {
        self.bus = bus
    }

    /// Like ``EventBus/emit(_:_:attributes:scope:)-(_,Payload,_,_)``.
    public func emit(
        _ name: EventName,
        _ payload: Payload = .empty,
        attributes: EventAttributes = EventAttributes(),
        scope: Scope = .everywhere
    ) -> Receipt {
        emit(bus.makeEvent(name, payload, attributes), to: bus.receivers(for: name), scope: scope)
    }

    func emit(_ event: Event, to receivers: Receivers, scope: Scope) -> Receipt {
        let receipt = Receipt(id: event.id, name: event.name)
        bus.dispatch(event, to: receivers, scope: scope, receipt: receipt)
        receipt.didEmit()
        return receipt
    }

    /// Like ``EventBus/emitWhenRoom(_:_:attributes:scope:)-(_,Payload,_,_)``.
    ///
    /// - Throws: `CancellationError`; the event may then have reached some of its listeners.
    public func emitWhenRoom(
        _ name: EventName,
        _ payload: Payload = .empty,
        attributes: EventAttributes = EventAttributes(),
        scope: Scope = .everywhere
    ) async throws -> Receipt {
        let event = bus.makeEvent(name, payload, attributes)
        return try await emitWhenRoom(event, to: bus.receivers(for: name), scope: scope)
    }

    func emitWhenRoom(_ event: Event, to receivers: Receivers, scope: Scope) async throws -> Receipt {
        let receipt = Receipt(id: event.id, name: event.name)
        try await bus.dispatchWhenRoom(event, to: receivers, scope: scope, receipt: receipt)
        receipt.didEmit()
        return receipt
    }
}
