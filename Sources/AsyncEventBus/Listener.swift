/// An async function that hears events, with a name and an identity.
///
/// Swift functions cannot be compared, so the identity is that of this object: adding the same listener twice to the
/// same pattern registers it once, and a listener whose patterns overlap hears each event once. One listener can be
/// on several buses; each bus gives it a mailbox of its own.
///
/// What a listener does harms no other: when it throws, the error becomes a `$bus.failed` event; when it is slow, its
/// own mailbox fills, and ``whenFull`` decides; when it exceeds ``timeLimit``, its task is cancelled and that too is
/// told. It should not block its thread: the threads of the cooperative pool are few.
public final class Listener: Sendable {
    /// What a listener does with an event.
    public typealias Body = @Sendable (Event) async throws -> Void

    /// The name, for reports. Need not be unique.
    public let name: String
    /// How many calls run at a time, and in which order.
    public let delivery: Delivery
    /// The most events that wait in its mailbox, 1 or more. Those that are running do not count.
    public let capacity: Int
    /// What happens to the next event when the mailbox is full.
    public let whenFull: OverflowPolicy
    /// How long one call may take before its task is cancelled; nil for no limit.
    ///
    /// Cancellation is cooperative: a call that ignores it keeps its place until it returns.
    public let timeLimit: Duration?

    let body: Body

    /// A listener. It hears nothing until it is added to a bus.
    ///
    /// - Parameters:
    ///   - capacity: 1 or more. The default holds a burst of a small site.
    ///   - body: Runs on the cooperative pool, never on the emitter's thread.
    public init(
        _ name: String,
        delivery: Delivery = .concurrent(limit: 64),
        capacity: Int = 1024,
        whenFull: OverflowPolicy = .dropOldest,
        timeLimit: Duration? = nil,
        body: @escaping Body
    ) {
        precondition(capacity >= 1, "a listener's mailbox holds one event or more")
        self.name = name
        self.delivery = delivery
        self.capacity = capacity
        self.whenFull = whenFull
        self.timeLimit = timeLimit
        self.body = body
    }
}

extension Listener: Hashable {
    /// Whether both are the same object.
    public static func == (left: Listener, right: Listener) -> Bool { left === right }

    /// Hashes the identity.
    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
