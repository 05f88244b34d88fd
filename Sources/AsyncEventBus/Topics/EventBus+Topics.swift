extension EventBus {
    /// Creates a listener for the values of a topic, adds it, and returns it for a later removal.
    ///
    /// ```swift
    /// bus.on(Site.pressure, delivery: .keyed(\.id), .retry(3)) { reading, event in … }
    /// ```
    ///
    /// The listener fails for an event whose payload is no value of the topic, without another attempt: the error is a
    /// ``PayloadDecodingError``.
    ///
    /// - Parameters:
    ///   - topic: The topic.
    ///   - name: For reports. Without a name, reports show the pattern.
    ///   - delivery: Whether calls run one at a time, one at a time for each key, or at the same time.
    ///   - options: Its capacity, time limit, retries and functions around it.
    ///   - body: Called for each value, with the captures of the event's name.
    @discardableResult
    public func on<Value>(
        _ topic: Topic<Value>,
        name: String? = nil,
        delivery: DeliveryMode = .concurrent(limit: 64),
        _ options: ListenerOption...,
        body: @escaping @Sendable (Value, TopicEvent) async throws -> Void
    ) -> Listener {
        let listener = Listener(
            name ?? topic.template.pattern.text,
            isDurable: false,
            delivery: delivery.resolved(topic.template),
            options: options,
            body: topic.body(body)
        )
        add(listener, to: topic.template.pattern)
        return listener
    }

    /// Creates a durable listener for the values of a topic, adds it, and returns it for a later removal.
    ///
    /// A transport that stores events on disk keeps each until this listener has finished it; see
    /// ``Listener/isDurable``. An event whose payload is no value of the topic becomes a dead letter at once.
    ///
    /// - Parameters:
    ///   - topic: The topic.
    ///   - name: Unique among the durable listeners of the bus, and the same in the next process.
    ///   - delivery: Whether calls run one at a time, one at a time for each key, or at the same time.
    ///   - options: Its capacity, time limit, retries and functions around it.
    ///   - body: Called for each value, with the captures of the event's name.
    /// - Throws: ``EventBusError`` with code ``EventBusError/Code/nameTaken``.
    @discardableResult
    public func on<Value>(
        _ topic: Topic<Value>,
        durable name: String,
        delivery: DeliveryMode = .concurrent(limit: 64),
        _ options: ListenerOption...,
        body: @escaping @Sendable (Value, TopicEvent) async throws -> Void
    ) throws(EventBusError) -> Listener {
        let listener = Listener(
            name,
            isDurable: true,
            delivery: delivery.resolved(topic.template),
            options: options,
            body: topic.body(body)
        )
        try addListener(listener, to: topic.template.pattern)
        return listener
    }

    /// Emits a value. Returns at once, or after the calls of immediate listeners.
    ///
    /// ```swift
    /// try bus.emit(Site.command(id: "p1"), PumpCommand(run: false))
    /// ```
    ///
    /// A full mailbox or transport queue discards an event by its policy. If a transport takes the event, the value is
    /// encoded first, and ``EventAttributes/contentType`` is the codec's media type unless given.
    ///
    /// - Throws: The error of the codec, ``EventBusError`` with code ``EventBusError/Code/noCodec``, or one with
    ///   ``EventBusError/Code/wrongCapture`` if a capture has no value. Then nobody has received the event.
    public func emit<Address: TopicAddress>(
        _ address: Address,
        _ value: Address.Value,
        attributes: EventAttributes = EventAttributes(),
        scope: Scope = .everywhere
    ) throws {
        let (event, receivers) = try makeEvent(address, value, attributes, scope)
        dispatch(event, to: receivers, scope: scope, receipt: nil)
    }

    /// Emits a value, and suspends while the mailbox of a listener or the queue of a transport is full.
    ///
    /// The event is not discarded; see ``emitWhenRoom(_:_:attributes:scope:)-(EventName,_,_,_)``.
    ///
    /// - Throws: As ``emit(_:_:attributes:scope:)-(Address,_,_,_)``, and `CancellationError`: then the event may have
    ///   reached some of its listeners.
    public func emitWhenRoom<Address: TopicAddress>(
        _ address: Address,
        _ value: Address.Value,
        attributes: EventAttributes = EventAttributes(),
        scope: Scope = .everywhere
    ) async throws {
        let (event, receivers) = try makeEvent(address, value, attributes, scope)
        try await dispatchWhenRoom(event, to: receivers, scope: scope, receipt: nil)
    }

    /// Returns the event of a value, and its receivers. Encodes the value if a transport is among them.
    func makeEvent<Address: TopicAddress>(
        _ address: Address,
        _ value: Address.Value,
        _ attributes: EventAttributes,
        _ scope: Scope
    ) throws -> (Event, Receivers) {
        let name = try address.eventName()
        let receivers = receivers(for: name)
        let isNeeded = scope.includesTransports && !receivers.transports.isEmpty
        let payload = try address.topic.payload(value, isNeeded: isNeeded)
        var attributes = attributes
        if isNeeded, attributes.contentType == nil { attributes.contentType = address.topic.mediaType }
        return (makeEvent(name, payload, attributes), receivers)
    }
}

extension TrackedEmitter {
    /// Like ``EventBus/emit(_:_:attributes:scope:)-(Address,_,_,_)``.
    public func emit<Address: TopicAddress>(
        _ address: Address,
        _ value: Address.Value,
        attributes: EventAttributes = EventAttributes(),
        scope: Scope = .everywhere
    ) throws -> Receipt {
        let (event, receivers) = try bus.makeEvent(address, value, attributes, scope)
        return emit(event, to: receivers, scope: scope)
    }

    /// Like ``EventBus/emitWhenRoom(_:_:attributes:scope:)-(Address,_,_,_)``.
    public func emitWhenRoom<Address: TopicAddress>(
        _ address: Address,
        _ value: Address.Value,
        attributes: EventAttributes = EventAttributes(),
        scope: Scope = .everywhere
    ) async throws -> Receipt {
        let (event, receivers) = try bus.makeEvent(address, value, attributes, scope)
        return try await emitWhenRoom(event, to: receivers, scope: scope)
    }
}

extension Topic {
    /// Returns the function of a listener that calls `body` with the value of each event.
    fileprivate func body(_ body: @escaping @Sendable (Value, TopicEvent) async throws -> Void) -> Listener.Body {
        { event in try await body(value(of: event), TopicEvent(event, template)) }
    }
}
