import Locking
public import Logging
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
/// **Loss.** A mailbox is bounded, in number and in bytes. What it discards is counted, and told as an event `$bus.dropped` when it begins.
///
/// **From inside a listener.** Emitting is the same as from anywhere else: the events queue up, also those to the
/// listener itself. A listener that is added hears the events emitted after ``addListener(_:to:)`` returned. A
/// listener that is removed takes nothing more out of its mailbox once ``removeListener(_:from:)`` has returned: what
/// waited there is discarded, and a call that has begun, or is just beginning, goes on to its end.
///
/// **Reports.** `$bus.failed` tells that a listener threw or took too long, and is not called again for that event:
/// the header `attempts` says how often it was, `reason` whether the last was an `error` or a `timeout`. `$bus.dropped`
/// tells that a mailbox overflows. Both are local, and have the headers `listener`, `event` and `event-id`; what fails
/// while handling a report is not reported again. Whether anybody listens or not, both are logged as warnings, at most once
/// a second for each listener, with the number of events.
///
/// There is nothing to start and nothing to stop. A bus that is no longer referred to lets its listeners finish what
/// waits in their mailboxes.
public final class EventBus: Sendable {
    /// What the bus calls itself in the identities of its events: the name given, and a part that is new in each
    /// process.
    public let source: String

    private let clock: any Clock<Duration>
    let registry = Locked(Registry())
    let origins: Locked<OwnOrigins>
    private let crew = Crew()
    let faults: FaultLog
    let sequence = Atomic<UInt64>(0)

    /// A bus without listeners.
    ///
    /// - Parameters:
    ///   - name: For people; goes into ``source``.
    ///   - clock: Measures the time limits of listeners, and the pauses before they are called again.
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

    /// Lets a listener hear the events whose name matches, from now until it is removed.
    ///
    /// - Returns: Whether it was not there yet.
    @discardableResult
    public func addListener(_ listener: Listener, to pattern: EventPattern) -> Bool {
        registry.withLock { registry in
            registry.add(listener, to: pattern) {
                MailboxContext(listener: listener, clock: clock, crew: crew) { [weak self] in self?.report($0) }
                    .makeMailbox()
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

    /// Removes a listener from all its patterns, and returns when its calls that had begun have ended.
    ///
    /// A listener that calls this for itself waits for ever. Cancellation of the task does not end the wait.
    ///
    /// - Returns: Whether the listener had any pattern.
    @discardableResult
    public func removeListenerAndWait(_ listener: Listener) async -> Bool {
        let mailbox = registry.withLock { $0.mailbox(of: listener) }
        let removed = removeListener(listener)
        await mailbox?.waitUntilIdle()
        return removed
    }

    /// Makes a listener from a function, adds it, and returns it so that it can be removed.
    ///
    /// - Parameters:
    ///   - name: For reports, and, unique on the bus, for transports that keep events: see ``Listener/isNamed``. Without
    ///     one, reports show the pattern.
    ///   - capacity: The most events that wait, 1 or more.
    ///   - capacityBytes: The most bytes that wait, 1 or more; see ``Listener/capacityBytes``.
    ///   - isImmediate: Whether calls begin on the thread that emits; see ``Listener``.
    @discardableResult
    public func on(
        _ pattern: EventPattern,
        name: String? = nil,
        delivery: DeliveryMode = .concurrent(limit: 64),
        capacity: Int = 1024,
        capacityBytes: Int = Listener.defaultCapacityBytes,
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
            capacityBytes: capacityBytes,
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
    /// them wait, and no more than `capacityBytes`; `whenFull` decides about the next one, and each event discarded adds one
    /// to ``Subscription/dropped``.
    ///
    /// - Parameters:
    ///   - capacity: The most events that wait for `body`, 1 or more.
    ///   - capacityBytes: The most bytes that wait, 1 or more; see ``Listener/capacityBytes``.
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
        registry.withLock { $0.receivers(for: name) }.sinks.count
    }

    /// Returns once no event waits in a mailbox or rests before another attempt, and no listener runs.
    ///
    /// Emits that go on meanwhile, listeners' own included, put this off.
    public func waitUntilIdle() async {
        while true {
            for mailbox in mailboxes { await mailbox.waitUntilIdle() }
            // A listener may have emitted to one that was found idle before. Only if all are idle at two looks, and
            // none has worked between them, all were idle at one moment.
            if let first = workersUntilIdle(), first == workersUntilIdle() { return }
        }
    }

    /// The mailboxes of all listeners that there are now, in the order in which they came.
    var mailboxes: [any Mailbox] { registry.withLock { $0.listeners }.mailboxes }

    private func workersUntilIdle() -> [ObjectIdentifier: UInt64]? {
        var result: [ObjectIdentifier: UInt64] = [:]
        for mailbox in mailboxes {
            guard let workers = mailbox.workersUntilIdle else { return nil }
            result[ObjectIdentifier(mailbox)] = workers
        }
        return result
    }

    /// What the calls of all listeners are at. Takes the lock of each mailbox once, and costs calls and emits nothing else.
    package func lookAtListeners() -> [ListenerLook] {
        mailboxes.map(\.look)
    }
}
