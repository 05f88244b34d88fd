import Locking
import Synchronization

/// Joins those who say that something happened with those who want to hear it, inside one process and, through
/// transports, beyond it.
///
/// Listeners are async functions. ``emit(_:_:attributes:scope:)`` returns at once: it puts the event into the mailbox
/// of each listener whose pattern matches, and the listeners run in parallel without waiting for one another or for
/// the emitter. Only for listeners that are immediate the emitter waits: see ``Listener``.
///
/// **Order.** Events that one task or thread emits reach a serial listener in that order. Between emitters there is
/// no order. What an immediate listener emits while it hears an event may reach other immediate listeners before
/// that event does.
///
/// **Loss.** A mailbox is bounded. What it discards is counted, and told as an event `$bus.dropped` when it begins.
///
/// **From inside a listener.** Emitting is the same as from anywhere else: the events queue up, also those to the
/// listener itself. A listener that is added hears the events emitted after ``addListener(_:to:)`` returned. A
/// listener that is removed takes nothing more out of its mailbox once ``removeListener(_:from:)`` has returned: what
/// waited there is discarded, and a call that has begun, or is just beginning, goes on to its end.
///
/// **Reports.** `$bus.failed` tells that a listener threw or took too long, and is not called again for that event:
/// the header `attempts` says how often it was, `reason` whether the last was an `error` or a `timeout`. `$bus.dropped`
/// tells that a mailbox overflows. Both are local, and have the headers `listener`, `event` and `event-id`; what fails
/// while handling a report is not reported again.
///
/// There is nothing to start and nothing to stop. A bus that is no longer referred to lets its listeners finish what
/// waits in their mailboxes.
public final class EventBus: Sendable {
    /// What the bus calls itself in the identities of its events: the name given, and a part that is new in each
    /// process.
    public let source: String

    private let clock: any Clock<Duration>
    private let registry = Locked(Registry())
    private let origins: Locked<OwnOrigins>
    private let crew = Crew()
    private let sequence = Atomic<UInt64>(0)

    /// A bus without listeners.
    ///
    /// - Parameters:
    ///   - name: For people; goes into ``source``.
    ///   - clock: Measures the time limits of listeners, and the pauses before they are called again.
    public init(name: String = "bus", clock: any Clock<Duration> = ContinuousClock()) {
        source = "\(name)-\(String(UInt64.random(in: .min ... .max), radix: 36))"
        origins = Locked(OwnOrigins(source: source))
        self.clock = clock
    }

    // MARK: Listeners

    /// Lets a listener hear the events whose name matches, from now until it is removed.
    ///
    /// - Returns: Whether it was not there yet.
    @discardableResult
    public func addListener(_ listener: Listener, to pattern: EventPattern) -> Bool {
        registry.withLock { registry in
            registry.add(listener, to: pattern) {
                Mailbox(listener: listener, clock: clock, crew: crew) { [weak self] in self?.tell($0) }
            }
        }
    }

    /// Lets a listener no longer hear the events of a pattern. When it was the last pattern, what waits is discarded.
    ///
    /// - Returns: Whether it was there.
    @discardableResult
    public func removeListener(_ listener: Listener, from pattern: EventPattern) -> Bool {
        let (removed, closing) = registry.withLock { $0.remove(listener, from: pattern) }
        closing?.close()
        return removed
    }

    /// Removes a listener from all its patterns.
    ///
    /// - Returns: Whether it was on any.
    @discardableResult
    public func removeListener(_ listener: Listener) -> Bool {
        let patterns = registry.withLock { $0.patterns(of: listener) }
        return patterns.reduce(false) { removeListener(listener, from: $1) || $0 }
    }

    /// Makes a listener from a function, adds it, and returns it so that it can be removed.
    ///
    /// - Parameters:
    ///   - name: For reports, and see ``Listener/isNamed``. Without one, reports show the pattern.
    ///   - capacity: The most events that wait, 1 or more.
    ///   - isImmediate: Whether calls begin on the thread that emits; see ``Listener``.
    @discardableResult
    public func on(
        _ pattern: EventPattern,
        name: String? = nil,
        delivery: Delivery = .concurrent(limit: 64),
        capacity: Int = 1024,
        whenFull: OverflowPolicy = .dropOldest,
        timeLimit: Duration? = nil,
        retry: RetryPolicy = .never,
        isImmediate: Bool = false,
        body: @escaping Listener.Body
    ) -> Listener {
        let listener = Listener(
            name ?? pattern.text,
            isNamed: name != nil,
            delivery: delivery,
            capacity: capacity,
            whenFull: whenFull,
            timeLimit: timeLimit,
            retry: retry,
            isImmediate: isImmediate,
            body: body
        )
        addListener(listener, to: pattern)
        return listener
    }

    /// Gives `body` the events matching a pattern, as a sequence, from the moment of the call until `body` returns.
    ///
    /// The subscription ends when `body` returns or throws; a cancelled reader sees the end of the sequence. Events
    /// emitted before the call are not seen. When `body` reads more slowly than events arrive, at most `capacity` of
    /// them wait; `whenFull` decides about the next one, and each event discarded adds one to
    /// ``Subscription/dropped``.
    ///
    /// - Parameter capacity: The most events that wait for `body`, 1 or more.
    /// - Throws: Only what `body` throws.
    public func withSubscription<Result>(
        to pattern: EventPattern,
        capacity: Int = 1024,
        whenFull: OverflowPolicy = .dropOldest,
        body: (Subscription) async throws -> Result
    ) async rethrows -> Result {
        precondition(capacity >= 1, "a subscription holds one event or more")
        let storage = SubscriptionStorage(pattern: pattern, capacity: capacity, policy: whenFull) { [weak self] in
            self?.tell($0)
        }
        let target = Registry.Target(storage)
        registry.withLock { $0.add(target, to: pattern) }
        defer {
            registry.withLock { $0.remove(target, from: pattern) }
            storage.close()
        }
        return try await body(Subscription(storage: storage))
    }

    /// How full the mailbox of a listener is; nil if it is not on this bus.
    public func load(of listener: Listener) -> (waiting: Int, dropped: UInt64)? {
        registry.withLock { $0.mailbox(of: listener) }?.load
    }

    /// How many listeners and subscriptions an event of this name would reach, were it emitted now. Each counts once,
    /// however many of its patterns match; transports do not count.
    ///
    /// Costs what an emit pays to find them: a walk along the segments for a name that has not come lately, one look into
    /// a table for others. A number of the past as soon as it is returned, where others add and remove listeners.
    public func listenerCount(for name: EventName) -> Int {
        registry.withLock { $0.targets(for: name) }.inboxes.count
    }

    /// Returns once no event waits in a mailbox or rests before another attempt, and no listener runs.
    ///
    /// Emits that go on meanwhile, listeners' own included, put this off.
    public func becomeIdle() async {
        while true {
            for mailbox in registry.withLock({ $0.mailboxes }) { await mailbox.becomeIdle() }
            // A listener may have emitted to one that was found idle before. Only if all are idle at two looks, and
            // none has worked between them, all were idle at one moment.
            if let first = workersUntilIdle(), first == workersUntilIdle() { return }
        }
    }

    private func workersUntilIdle() -> [ObjectIdentifier: UInt64]? {
        var result: [ObjectIdentifier: UInt64] = [:]
        for mailbox in registry.withLock({ $0.mailboxes }) {
            guard let workers = mailbox.workersUntilIdle else { return nil }
            result[ObjectIdentifier(mailbox)] = workers
        }
        return result
    }

    // MARK: Transports

    /// Offers the events whose name matches to a transport.
    public func attach(_ relay: some EventRelay, to patterns: some Sequence<EventPattern>) {
        let target = Registry.Target(relay)
        registry.withLock { registry in
            for pattern in patterns { registry.add(target, to: pattern) }
        }
    }

    /// Offers no more events of these patterns to a transport.
    public func detach(_ relay: some EventRelay, from patterns: some Sequence<EventPattern>) {
        let target = Registry.Target(relay)
        registry.withLock { registry in
            for pattern in patterns { registry.remove(target, from: pattern) }
        }
    }

    /// A place for the events of a name that a transport brings in.
    package func destination(for name: EventName) -> Destination {
        registry.withLock { $0.destination(for: name) }
    }

    /// The mailboxes of the named listeners that hear the events of a destination now, and whether anybody else does.
    package func receivers(at destination: Destination) -> (named: [NamedInbox], hasOthers: Bool) {
        let targets = registry.withLock { destination.targets(in: &$0) }
        return (targets.named, targets.hasOthers)
    }

    /// The mailboxes of all named listeners that there are now.
    package func namedInboxes() -> [NamedInbox] {
        registry.withLock { $0.mailboxes }.compactMap(\.asNamed)
    }

    // MARK: Emitting

    /// Says that something happened. Returns at once, or after the calls of immediate listeners; never throws.
    public func emit(
        _ name: EventName,
        _ payload: Payload = .empty,
        attributes: EventAttributes = EventAttributes(),
        scope: Scope = .everywhere
    ) {
        dispatch(makeEvent(name, payload, attributes), scope: scope, receipt: nil)
    }

    /// As ``emit(_:_:attributes:scope:)``, and returns a receipt that tells what becomes of the event.
    public func emitTracked(
        _ name: EventName,
        _ payload: Payload = .empty,
        attributes: EventAttributes = EventAttributes(),
        scope: Scope = .everywhere
    ) -> Receipt {
        let event = makeEvent(name, payload, attributes)
        let receipt = Receipt(id: event.id, name: name)
        dispatch(event, scope: scope, receipt: receipt)
        receipt.didEmit()
        return receipt
    }

    /// Passes on an event that has an identity already: what a transport brought in.
    public func emit(_ event: Event, scope: Scope = .everywhere) {
        dispatch(event.attempt(1), scope: scope, receipt: nil)
    }

    /// Passes on events as if they were emitted one after the other, and empties the batch.
    ///
    /// Each transport is offered the events in their order, and then each mailbox takes all of its events, in their
    /// order, at once. What is discarded is told when all have been offered.
    package func emit(_ batch: inout EmitBatch, scope: Scope = .everywhere) {
        batch.resolve(in: registry)
        if scope.includesRelays { batch.offerToRelays { relay, event in relayRefused(relay, event, receipt: nil) } }
        if scope.includesListeners { batch.offerToInboxes() }
        batch.removeAll()
    }

    /// Says that something happened, and suspends while the mailbox of a listener or the queue of a transport that
    /// takes it is full.
    ///
    /// Nothing is discarded. A listener that sends to itself while its own mailbox is full waits for itself, for ever.
    ///
    /// - Throws: `CancellationError`; the event may then have reached some of its listeners.
    public func send(
        _ name: EventName,
        _ payload: Payload = .empty,
        attributes: EventAttributes = EventAttributes(),
        scope: Scope = .everywhere
    ) async throws {
        try await deliver(makeEvent(name, payload, attributes), scope: scope, receipt: nil)
    }

    /// As ``send(_:_:attributes:scope:)``, and returns a receipt that tells what becomes of the event.
    ///
    /// - Throws: `CancellationError`; the event may then have reached some of its listeners.
    public func sendTracked(
        _ name: EventName,
        _ payload: Payload = .empty,
        attributes: EventAttributes = EventAttributes(),
        scope: Scope = .everywhere
    ) async throws -> Receipt {
        let event = makeEvent(name, payload, attributes)
        let receipt = Receipt(id: event.id, name: name)
        try await deliver(event, scope: scope, receipt: receipt)
        receipt.didEmit()
        return receipt
    }

    /// A number that no other event of this bus has: for one that comes in without an identity.
    package func makeNumber() -> UInt64 { sequence.wrappingAdd(1, ordering: .relaxed).newValue }

    /// The identity of the event with that number.
    package func id(_ number: UInt64) -> EventID { EventID(source: source, sequence: number) }

    /// An event with that number, which a transport brought in without an identity. Its origin is this bus.
    package func makeEvent(
        _ number: UInt64,
        _ name: EventName,
        _ payload: Payload,
        time: Timestamp,
        origin: EventOrigin,
        attributes: EventAttributes
    ) -> Event {
        Event(sequence: number, name: name, payload: payload, time: time, origin: origin, attributes: attributes)
    }

    private func makeEvent(_ name: EventName, _ payload: Payload, _ attributes: EventAttributes) -> Event {
        makeEvent(
            makeNumber(),
            name,
            payload,
            time: .now,
            origin: origins.withLock { $0.next() },
            attributes: attributes
        )
    }

    /// Waits where there is no room.
    private func deliver(_ event: Event, scope: Scope, receipt: Receipt?) async throws {
        let targets = registry.withLock { $0.targets(for: event.name) }
        if scope.includesRelays {
            for relay in targets.relays {
                while relay.take(event, receipt: receipt) == .full { try await relay.waitForRoom(for: event) }
            }
        }
        guard scope.includesListeners else { return }
        for inbox in targets.inboxes { try await inbox.send(Parcel(event: event, receipt: receipt)) }
    }

    /// Discards where there is no room.
    private func dispatch(_ event: Event, scope: Scope, receipt: Receipt?) {
        let targets = registry.withLock { $0.targets(for: event.name) }
        if scope.includesRelays {
            for relay in targets.relays where relay.take(event, receipt: receipt) == .full {
                relayRefused(relay, event, receipt: receipt)
            }
        }
        guard scope.includesListeners else { return }
        for inbox in targets.inboxes { inbox.offer(Parcel(event: event, receipt: receipt)) }
    }

    private func relayRefused(_ relay: any EventRelay, _ event: Event, receipt: Receipt?) {
        relay.discarded(event)
        receipt?.willPublish()
        receipt?.didRefuse(
            EventBusError(.refused, operation: "publish \"\(event.name)\"", detail: "the transport is full")
        )
    }

    // MARK: Reports

    private func tell(_ report: BusReport) {
        switch report {
        case .failed(let listener, let event, let error, let isTimeout):
            let reason = isTimeout ? "timeout" : "error"
            tell(
                "$bus.failed",
                listener,
                event,
                error,
                [.init("reason", reason), .init("attempts", "\(event.attempt)")]
            )
        case .dropped(let receiver, let event, let total):
            tell("$bus.dropped", receiver, event, "mailbox full", [.init("total", String(total))])
        }
    }

    private func tell(
        _ name: EventName,
        _ listener: String,
        _ event: Event,
        _ text: String,
        _ headers: [EventAttributes.Header]
    ) {
        guard !event.name.text.hasPrefix("$bus.") else { return }
        let subject: [EventAttributes.Header] = [
            .init("listener", listener), .init("event", event.name.text), .init("event-id", event.id.description),
        ]
        emit(name, Payload(text), attributes: EventAttributes(headers: subject + headers), scope: .local)
    }
}
