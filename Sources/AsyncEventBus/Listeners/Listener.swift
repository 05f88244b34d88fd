/// An async function that hears events, with a name and an identity.
///
/// Swift functions cannot be compared, so the identity is that of this object: adding the same listener twice to the
/// same pattern registers it once, and a listener whose patterns overlap hears each event once. One listener can be
/// on several buses; each bus gives it a mailbox of its own.
///
/// What a listener does harms no other: when it is slow, its own mailbox fills, and ``whenFull`` decides; when it
/// throws, or exceeds ``timeLimit`` and its task is cancelled, it is called again as far as ``retry`` allows, and
/// then the error becomes a `$bus.failed` event. It should not block its thread: the threads of the cooperative pool
/// are few.
///
/// **Threads.** Calls run on the cooperative pool, unless the listener is immediate: then they begin on the thread that
/// emits, before the emit returns, and go on on the pool when they have been suspended, or after a turn of many. That
/// saves a wake-up of a thread, most of the time that an event takes to a listener; and until it suspends or returns, the
/// emitter waits. Behind a transport the emitter is the thread that keeps the connection alive, and on durable routes
/// the store may wait as well. So an immediate listener takes microseconds, and never blocks. Calls begin on the pool
/// all the same where the listener runs already, as when it emits what it hears itself, sixteen immediate listeners
/// deep, where calls have a ``timeLimit``, and on Apple's systems before version 26.
///
/// **Retries.** An event that failed rests in the mailbox and takes up room there. It holds up the later events of its
/// key, or all of a ``DeliveryMode/serial`` listener, so that order holds; others go on. An event may come again that the
/// listener had dealt with in part: ``Event/attempt`` tells. When the listener is removed, what rests is discarded.
public final class Listener: Sendable {
    /// What a listener does with an event.
    public typealias Body = @Sendable (Event) async throws -> Void

    /// The name, for reports.
    public let name: String
    /// Whether it was given a name, rather than being called by its pattern.
    ///
    /// A transport that keeps events on disk keeps them until each named listener has finished, also across a crash: what
    /// waited goes, in the next process, to the listener of that name, if one of its patterns matches.
    ///
    /// Such a name should be unique on a bus. Two listeners of one name are let be, since one may take the place of the
    /// other, but they count as one: an event is done with when both have finished, and after a crash both may hear it
    /// again. A bridge with a store logs it.
    public let isNamed: Bool
    /// How many calls run at a time, and in which order.
    public let delivery: DeliveryMode
    /// The most events that wait in its mailbox, 1 or more. Those that are running do not count.
    public let capacity: Int
    /// The most bytes that wait in its mailbox, 1 or more: names, payloads and attributes of the events. One event that is
    /// larger waits where no other does.
    public let capacityBytes: Int
    /// What happens to the next event when the mailbox is full, in number or in bytes.
    public let whenFull: OverflowPolicy
    /// How long one call may take before its task is cancelled; nil for no limit.
    ///
    /// Cancellation is cooperative: a call that ignores it keeps its place until it returns. A bridge on the bus names the
    /// listener then, in the log and by `$bridge.stalled`; without a limit it does so where a call holds up other events.
    public let timeLimit: Duration?
    /// How often it is called for an event that it fails at. Without a retry, what fails is given up.
    public let retry: RetryPolicy
    /// Whether its calls begin on the thread that emits.
    public let isImmediate: Bool

    let body: Body

    /// How many bytes wait at the most for a listener or a subscription that says nothing else: 64 MiB.
    public static let defaultCapacityBytes = 64 * 1_024 * 1_024

    /// A named listener. It hears nothing until it is added to a bus.
    ///
    /// - Parameters:
    ///   - capacity: 1 or more. The default holds a burst of a small site.
    ///   - capacityBytes: 1 or more. The default holds the default number of events of 64 KiB each, and is no more than a small
    ///     machine can spare for a listener that does not come along.
    ///   - isImmediate: Whether its calls begin on the thread that emits: for what takes microseconds and never blocks.
    ///   - body: Runs on the cooperative pool, and never on the emitter's thread unless it is immediate.
    public convenience init(
        _ name: String,
        delivery: DeliveryMode = .concurrent(limit: 64),
        capacity: Int = 1024,
        capacityBytes: Int = Listener.defaultCapacityBytes,
        whenFull: OverflowPolicy = .dropOldest,
        timeLimit: Duration? = nil,
        retry: RetryPolicy = .never,
        isImmediate: Bool = false,
        body: @escaping Body
    ) {
        self.init(
            name,
            isNamed: true,
            delivery: delivery,
            capacity: capacity,
            capacityBytes: capacityBytes,
            whenFull: whenFull,
            timeLimit: timeLimit,
            retry: retry,
            isImmediate: isImmediate,
            body: body
        )
    }

    init(
        _ name: String,
        isNamed: Bool,
        delivery: DeliveryMode,
        capacity: Int,
        capacityBytes: Int,
        whenFull: OverflowPolicy,
        timeLimit: Duration?,
        retry: RetryPolicy,
        isImmediate: Bool,
        body: @escaping Body
    ) {
        precondition(capacity >= 1, "a listener's mailbox holds one event or more")
        precondition(capacityBytes >= 1, "a listener's mailbox holds one byte or more")
        self.name = name
        self.isNamed = isNamed
        self.delivery = delivery
        self.capacity = capacity
        self.capacityBytes = capacityBytes
        self.whenFull = whenFull
        self.timeLimit = timeLimit
        self.retry = retry
        self.isImmediate = isImmediate
        self.body = body
    }
}

extension Listener: Hashable {
    /// Whether both are the same object.
    public static func == (left: Listener, right: Listener) -> Bool { left === right }

    /// Hashes the identity.
    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
