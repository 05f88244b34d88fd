/// Emits events on a bus and returns a receipt for each: see ``EventBus/tracked``.
public struct TrackedEmitter: Sendable {
    private let bus: EventBus

    init(bus: EventBus) {
        self.bus = bus
    }

    /// Like ``EventBus/emit(_:_:attributes:scope:)``.
    public func emit(
        _ name: EventName,
        _ payload: Payload = .empty,
        attributes: EventAttributes = EventAttributes(),
        scope: Scope = .everywhere
    ) -> Receipt {
        let event = bus.makeEvent(name, payload, attributes)
        let receipt = Receipt(id: event.id, name: name)
        bus.dispatch(event, scope: scope, receipt: receipt)
        receipt.didEmit()
        return receipt
    }

    /// Like ``EventBus/emitWhenRoom(_:_:attributes:scope:)``.
    ///
    /// - Throws: `CancellationError`; the event may then have reached some of its listeners.
    public func emitWhenRoom(
        _ name: EventName,
        _ payload: Payload = .empty,
        attributes: EventAttributes = EventAttributes(),
        scope: Scope = .everywhere
    ) async throws -> Receipt {
        let event = bus.makeEvent(name, payload, attributes)
        let receipt = Receipt(id: event.id, name: name)
        try await bus.dispatchWhenRoom(event, scope: scope, receipt: receipt)
        receipt.didEmit()
        return receipt
    }
}
