import Locking
public import Logging
import Synchronization

/// An event bus inside one process, which transports extend to other processes.
///
/// Listeners are async functions. ``emit(_:_:attributes:scope:)-(_,Payload,_,_)`` returns at once: it puts the event
/// into the mailbox of each listener whose pattern matches. Listeners run in parallel, and wait neither for one another nor for the
/// emitter. The emitter waits only for immediate listeners: see ``Listener``.
///
/// **Order.** A serial listener receives the events of one task or thread in the order of their emits. Between emitters
/// there is no order. An event that an immediate listener emits while it handles another event may reach other
/// immediate listeners before that event.
///
/// **Loss.** A mailbox is bounded, in number and in bytes. The bus counts the events that a mailbox discards, and emits
/// `$bus.dropped` when an overflow begins.
///
/// **Inside a listener.** A listener may emit; the events are queued, even if they are for itself. A new listener
/// receives the events emitted after ``addListener(_:to:)`` returned. A removed listener takes nothing more out of its
/// mailbox once ``removeListener(_:from:)`` has returned: waiting events are discarded, and a call that has begun, or
/// is just beginning, runs to its end.
///
/// **Reports.** `$bus.failed` reports that a listener threw or exceeded its time limit and is not called again for that
/// event. The header `attempts` is the number of attempts; `reason` is `error` or `timeout`, for the last one.
/// `$bus.dropped` reports that a mailbox overflows. Both are local and have the headers `listener`, `event` and
/// `event-id`. A failed or dropped report is not reported again. The bus also logs both as warnings, at most once a
/// second for each listener, with the number of events, whether or not a listener receives the reports.
///
/// A bus is neither started nor stopped. After its last reference is gone, its listeners still process their mailboxes.
public final class EventBus: Sendable {
    /// The name of the bus in the identities of its events: the given name and a random part, new for each bus.
    public let source: String

    let clock: any Clock<Duration>
    let registry = Locked(Registry())
    let origins: Locked<OwnOrigins>
    let faults: FaultLog
    let sequence = Atomic<UInt64>(0)
    let requests = PendingRequests()
    let states = Locked<[StateKey: any Sendable]>([:])

    /// Creates a bus without listeners.
    ///
    /// - Parameters:
    ///   - name: For people; part of ``source``.
    ///   - clock: Measures the time limits of listeners and the pauses before retries.
    ///   - logger: For listeners that fail or are too slow.
    public init(
        name: String = "bus",
        clock: any Clock<Duration> = ContinuousClock(),
        logger: Logger = Logger(label: "event-bus")
    ) {
        source = "\(name)-\(String(UInt64.random(in: .min ... .max), radix: 36))"
        origins = Locked(OwnOrigins(source: source))
        self.clock = clock
        faults = FaultLog(logger: logger, clock: clock)
    }

    // MARK: Listeners

    /// Adds a listener to a pattern: it receives events with matching names until it is removed.
    ///
    /// - Returns: Whether the listener was new to the pattern.
    /// - Throws: ``EventBusError`` with code ``EventBusError/Code/nameTaken`` if the listener is durable and the bus has
    ///   another durable listener of this name. Remove that one first, with ``removeListenerAndWait(_:)``.
    @discardableResult
    public func addListener(_ listener: Listener, to pattern: EventPattern) throws(EventBusError) -> Bool {
        try registry.withLock { registry throws(EventBusError) in
            try registry.checkName(of: listener)
            return register(listener, to: pattern, in: &registry)
        }
    }

    /// Adds a listener that is not durable.
    func add(_ listener: Listener, to pattern: EventPattern) {
        registry.withLock { _ = register(listener, to: pattern, in: &$0) }
    }

    private func register(_ listener: Listener, to pattern: EventPattern, in registry: inout Registry) -> Bool {
        registry.add(listener, to: pattern) {
            MailboxContext(listener: listener, clock: clock) { [weak self] in self?.report($0) }
                .makeMailbox()
        }
    }

    /// Removes a listener from a pattern. If that was its last pattern, its waiting events are discarded.
    ///
    /// - Returns: Whether the listener had the pattern.
    @discardableResult
    public func removeListener(_ listener: Listener, from pattern: EventPattern) -> Bool {
        let (removed, closing) = registry.withLock { $0.remove(listener, from: pattern) }
        closing?.close()
        return removed
    }

    /// Removes a listener from all its patterns.
    ///
    /// - Returns: Whether the listener had any pattern.
    @discardableResult
    public func removeListener(_ listener: Listener) -> Bool {
        let patterns = registry.withLock { $0.patterns(of: listener) }
        return patterns.reduce(false) { removeListener(listener, from: $1) || $0 }
    }

    /// Removes a listener from all its patterns, and returns when its running calls have ended.
    ///
    /// If a listener removes itself with this method, it waits for ever. Cancellation does not end the wait.
    ///
    /// - Returns: Whether the listener had any pattern.
    @discardableResult
    public func removeListenerAndWait(_ listener: Listener) async -> Bool {
        let mailbox = registry.withLock { $0.mailbox(of: listener) }
        let removed = removeListener(listener)
        await mailbox?.waitUntilIdle()
        return removed
    }

    /// Creates a listener from a function, adds it, and returns it for a later removal.
    ///
    /// ```swift
    /// bus.on("door.*") { event in print(event.name) }
    /// ```
    ///
    /// Events that wait for this listener are lost when the process ends, also those that a transport stores; see
    /// ``on(_:durable:delivery:_:body:)-(EventPattern,_,_,_,_)``.
    ///
    /// - Parameters:
    ///   - pattern: The names of the events.
    ///   - name: For reports. Without a name, reports show the pattern.
    ///   - delivery: Whether calls run one at a time, one at a time for each key, or at the same time.
    ///   - options: Its capacity, time limit, retries and functions around it.
    ///   - body: Called for each event.
    @discardableResult
    public func on(
        _ pattern: EventPattern,
        name: String? = nil,
        delivery: DeliveryMode = .concurrent(limit: 64),
        _ options: ListenerOption...,
        body: @escaping Listener.Body
    ) -> Listener {
        let listener = Listener(
            name ?? pattern.text,
            isDurable: false,
            delivery: delivery,
            options: options,
            body: body
        )
        add(listener, to: pattern)
        return listener
    }

    /// Creates a durable listener from a function, adds it, and returns it for a later removal.
    ///
    /// ```swift
    /// try bus.on("order.*", durable: "invoices", .retry(3)) { event in try await book(event) }
    /// ```
    ///
    /// A transport that stores events on disk keeps each until this listener has finished it, even across a crash; see
    /// ``Listener/isDurable``.
    ///
    /// - Parameters:
    ///   - pattern: The names of the events.
    ///   - name: Unique among the durable listeners of the bus, and the same in the next process.
    ///   - delivery: Whether calls run one at a time, one at a time for each key, or at the same time.
    ///   - options: Its capacity, time limit, retries and functions around it.
    ///   - body: Called for each event.
    /// - Throws: ``EventBusError`` with code ``EventBusError/Code/nameTaken``.
    @discardableResult
    public func on(
        _ pattern: EventPattern,
        durable name: String,
        delivery: DeliveryMode = .concurrent(limit: 64),
        _ options: ListenerOption...,
        body: @escaping Listener.Body
    ) throws(EventBusError) -> Listener {
        let listener = Listener(name, isDurable: true, delivery: delivery, options: options, body: body)
        try addListener(listener, to: pattern)
        return listener
    }

    /// Passes events with matching names to `body`, as a sequence, from this call until `body` returns.
    ///
    /// The subscription ends when `body` returns or throws; a cancelled reader sees the end of the sequence. Events
    /// emitted before the call are not seen. If `body` reads more slowly than events arrive, at most `capacity` events
    /// and `capacityBytes` bytes wait; `whenFull` decides about the next event, and each discarded event adds one to
    /// ``Subscription/dropped``.
    ///
    /// - Parameters:
    ///   - pattern: The names of the events.
    ///   - capacity: The most events that wait for `body`, 1 or more.
    ///   - capacityBytes: The most bytes that wait, 1 or more; see ``Listener/capacityBytes``.
    ///   - whenFull: The event that is discarded when no more fit.
    ///   - body: Reads the events.
    /// - Throws: Only what `body` throws.
    public func withSubscription<Result>(
        to pattern: EventPattern,
        capacity: Int = 1024,
        capacityBytes: Int = Listener.defaultCapacityBytes,
        whenFull: OverflowPolicy = .dropOldest,
        body: (Subscription) async throws -> Result
    ) async rethrows -> Result {
        precondition(capacity >= 1, "a subscription holds one event or more")
        precondition(capacityBytes >= 1, "a subscription holds one byte or more")
        let storage = SubscriptionStorage(
            pattern: pattern,
            capacity: capacity,
            capacityBytes: capacityBytes,
            policy: whenFull
        ) { [weak self] in self?.report($0) }
        let receiver = Receiver(storage)
        registry.withLock { $0.add(receiver, to: pattern) }
        defer {
            registry.withLock { $0.remove(receiver, from: pattern) }
            storage.close()
        }
        return try await body(Subscription(storage: storage))
    }

    /// Returns how many events wait in the mailbox of a listener, and how many it discarded; nil if the listener is not
    /// on this bus.
    public func load(of listener: Listener) -> (waiting: Int, dropped: UInt64)? {
        registry.withLock { $0.mailbox(of: listener) }?.load
    }

    /// Returns how many listeners and subscriptions an event of this name would reach now. Each counts once, however
    /// many of its patterns match; transports do not count.
    ///
    /// Costs as much as the look-up of an emit: a walk along the segments, or a table look-up for a name in the cache.
    /// The number is outdated at once if other tasks add and remove listeners.
    public func listenerCount(for name: EventName) -> Int {
        registry.withLock { $0.receivers(for: name) }.sinks.count
    }

    /// Returns once no event waits in a mailbox or for a retry, and no listener runs.
    ///
    /// Further emits, also by listeners, delay the return.
    public func waitUntilIdle() async {
        while true {
            for mailbox in mailboxes { await mailbox.waitUntilIdle() }
            // A listener may have emitted to a mailbox that was already found idle. If all are idle in two samples and
            // no worker was added between them, all were idle at one moment.
            if let first = workersUntilIdle(), first == workersUntilIdle() { return }
        }
    }

    /// The mailboxes of all listeners, in the order in which the listeners were added.
    var mailboxes: [any Mailbox] { registry.withLock { $0.listeners }.mailboxes }

    private func workersUntilIdle() -> [ObjectIdentifier: UInt64]? {
        var result: [ObjectIdentifier: UInt64] = [:]
        for mailbox in mailboxes {
            guard let workers = mailbox.workersUntilIdle else { return nil }
            result[ObjectIdentifier(mailbox)] = workers
        }
        return result
    }

    /// Samples the progress of all listeners. Takes the lock of each mailbox once; calls and emits bear no other cost.
    package func lookAtListeners() -> [ListenerLook] {
        mailboxes.map(\.look)
    }
}
