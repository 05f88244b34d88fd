import Locking

extension EventBus {
    /// Emits an event. Returns at once, or after the calls of immediate listeners; never throws.
    ///
    /// A full mailbox or transport queue discards an event by its policy.
    public func emit(
        _ name: EventName,
        _ payload: Payload = .empty,
        attributes: EventAttributes = EventAttributes(),
        scope: Scope = .everywhere
    ) {
        dispatch(makeEvent(name, payload, attributes), to: receivers(for: name), scope: scope, receipt: nil)
    }

    /// Emits an event, and suspends while the mailbox of a listener or the queue of a transport is full.
    ///
    /// The event is not discarded, neither now nor by a later emit: it stays in a mailbox until the listener takes it
    /// or leaves the bus. A listener that waits for room in its own full mailbox waits for ever.
    ///
    /// - Throws: `CancellationError`; the event may have reached some of its listeners.
    public func emitWhenRoom(
        _ name: EventName,
        _ payload: Payload = .empty,
        attributes: EventAttributes = EventAttributes(),
        scope: Scope = .everywhere
    ) async throws {
        let event = makeEvent(name, payload, attributes)
        try await dispatchWhenRoom(event, to: receivers(for: name), scope: scope, receipt: nil)
    }

    /// The same two forms of emitting, each with a ``Receipt`` for the event.
    ///
    /// ```swift
    /// try await bus.tracked.emit("door.open").published()
    /// ```
    ///
    /// A receipt costs an allocation, and a lock for each delivery. Untracked events do not bear these costs.
    public var tracked: TrackedEmitter { TrackedEmitter(bus: self) }

    func makeEvent(_ name: EventName, _ payload: Payload, _ attributes: EventAttributes) -> Event {
        makeEvent(
            makeNumber(),
            name,
            payload,
            time: .now,
            origin: origins.withLock { $0.next() },
            attributes: attributes
        )
    }

    func receivers(for name: EventName) -> Receivers { registry.withLock { $0.receivers(for: name) } }

    /// Offers an event to its receivers; a receiver without room discards it.
    func dispatch(_ event: Event, to receivers: Receivers, scope: Scope, receipt: Receipt?) {
        if scope.includesTransports {
            for transport in receivers.transports { transport.take(event, receipt: receipt.map(TransportReceipt.init)) }
        }
        guard scope.includesListeners else { return }
        for sink in receivers.sinks { sink.offer(PendingDelivery(event: event, receipt: receipt)) }
    }

    /// Offers an event to its receivers, and waits while a receiver has no room.
    func dispatchWhenRoom(_ event: Event, to receivers: Receivers, scope: Scope, receipt: Receipt?) async throws {
        if scope.includesTransports {
            let transportReceipt = receipt.map(TransportReceipt.init)
            for transport in receivers.transports {
                var progress = TransportProgress()
                while !transport.take(event, receipt: transportReceipt, progress: &progress) {
                    // A transport that reports room but has none must not keep a cancelled emitter or its thread.
                    try Task.checkCancellation()
                    try await transport.waitForRoom(for: event, progress: progress)
                    await Task.yield()
                }
            }
        }
        guard scope.includesListeners else { return }
        for sink in receivers.sinks {
            try await sink.offerWhenRoom(PendingDelivery(event: event, receipt: receipt))
        }
    }
}
