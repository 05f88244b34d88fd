/// An async function that receives events, with a name and an identity.
///
/// Swift functions cannot be compared, so the identity is that of this object: adding the same listener twice to the
/// same pattern registers it once, and a listener whose patterns overlap receives each event once. A listener can be on
/// several buses; each bus gives it a mailbox of its own.
///
/// A listener does no harm to others. If it is slow, its own mailbox fills, and ``whenFull`` decides. If it throws, or
/// exceeds ``timeout`` and its task is cancelled, it is called again as far as ``retry`` allows; then the error
/// becomes a `$bus.failed` event. It should not block its thread: the cooperative pool has few.
///
/// **Threads.** Calls run on the cooperative pool, unless the listener is immediate: then they begin on the thread that
/// emits, before the emit returns, and continue on the pool after a suspension or after a turn of many calls. That
/// saves the wake-up of a thread, which is most of the time from an emit to a listener; but the emitter waits until the
/// listener suspends or returns. Behind a transport, the emitter is the thread that keeps the connection alive, and on
/// durable routes the store may wait as well. So an immediate listener takes microseconds, and never blocks. Calls
/// still begin on the pool if the listener is already running (for example, because it emits an event that it receives
/// itself), if sixteen immediate listeners are nested, or if calls have a ``timeout``.
///
/// **Retries.** A failed event waits in the mailbox for its retry, and takes up room there. It holds up the later
/// events of its key, or all events of a ``DeliveryMode/serial`` listener, so that the order is kept; other events
/// continue. A retry may repeat work that the listener has done in part: see ``Event/attempt``. When the listener is
/// removed, events that wait for a retry are discarded.
public final class Listener: Sendable {
    /// Handles an event.
    public typealias Body = @Sendable (Event) async throws -> Void

    /// The name: that of a durable listener, else one for reports.
    public let name: String
    /// Whether events that a transport stores on disk wait for this listener, even across a crash.
    ///
    /// A transport with a store keeps an event until each durable listener has finished it. In the next process the
    /// remaining events go to the durable listener of that name, if one of its patterns matches. So the name stays the same
    /// from one process to the next, and a bus refuses a second durable listener of the same name.
    ///
    /// Without such a transport, or for events that it does not store, a durable listener is like any other.
    public let isDurable: Bool
    /// The number of parallel calls, and their order.
    public let delivery: DeliveryMode
    /// The most events that wait in the mailbox, 1 or more. Events in running calls do not count.
    public let capacity: Int
    /// The most bytes that wait in the mailbox, 1 or more: names, payloads and attributes of the events. A larger event
    /// waits only if no other does.
    public let capacityBytes: Int
    /// The policy for the next event when the mailbox is full, in number or in bytes.
    public let whenFull: OverflowPolicy
    /// The time after which the task of a call is cancelled; nil for no limit.
    ///
    /// Cancellation is cooperative: a call that ignores it keeps its place until it returns. A bridge on the bus then
    /// reports the listener, in the log and as `$bridge.stalled`. It also reports calls that hold up other events, even
    /// without a limit.
    public let timeout: Duration?
    /// The number of attempts for an event, and the pauses between them. After the last one the event is given up.
    public let retry: RetryPolicy
    /// Whether calls begin on the thread that emits.
    public let isImmediate: Bool

    /// Whether the listener answers requests.
    let answersRequests: Bool
    let body: Body

    /// The default of the most bytes that wait for a listener or a subscription: 64 MiB.
    public static let defaultCapacityBytes = 64 * 1_024 * 1_024

    /// Creates a listener. It receives nothing until it is added to a bus.
    ///
    /// - Parameters:
    ///   - name: For reports.
    ///   - delivery: Whether calls run one at a time, one at a time for each key, or at the same time.
    ///   - options: Its capacity, time limit, retries and functions around it.
    ///   - body: Runs on the cooperative pool, and never on the emitter's thread unless the listener is immediate.
    public convenience init(
        _ name: String,
        delivery: DeliveryMode = .concurrent(limit: 64),
        _ options: ListenerOption...,
        body: @escaping Body
    ) {
        self.init(name, isDurable: false, delivery: delivery, options: options, body: body)
    }

    /// Creates a durable listener: see ``isDurable``. It receives nothing until it is added to a bus.
    ///
    /// - Parameters:
    ///   - name: Unique among the durable listeners of a bus, and the same in the next process.
    ///   - delivery: Whether calls run one at a time, one at a time for each key, or at the same time.
    ///   - options: Its capacity, time limit, retries and functions around it.
    ///   - body: Runs on the cooperative pool, and never on the emitter's thread unless the listener is immediate.
    public convenience init(
        durable name: String,
        delivery: DeliveryMode = .concurrent(limit: 64),
        _ options: ListenerOption...,
        body: @escaping Body
    ) {
        self.init(name, isDurable: true, delivery: delivery, options: options, body: body)
    }

    init(
        _ name: String,
        isDurable: Bool,
        answersRequests: Bool = false,
        delivery: DeliveryMode,
        options: [ListenerOption],
        body: @escaping Body
    ) {
        if case .keyedByCapture(_, let capture) = delivery.kind {
            preconditionFailure("only a listener of a topic can have the key \(capture)")
        }
        let settings = ListenerOption.settings(options)
        self.name = name
        self.isDurable = isDurable
        self.answersRequests = answersRequests
        self.delivery = delivery
        capacity = settings.capacity
        capacityBytes = settings.capacityBytes
        whenFull = settings.whenFull
        timeout = settings.timeout
        retry = settings.retry
        isImmediate = settings.isImmediate
        self.body = ListenerOption.body(body, within: settings.middleware)
    }
}

extension Listener: Hashable {
    /// Whether both are the same object.
    public static func == (left: Listener, right: Listener) -> Bool { left === right }

    /// Hashes the identity.
    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
