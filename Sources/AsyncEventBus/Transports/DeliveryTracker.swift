/// Follows the delivery of one event to one durable listener, for transports that store events until their completion.
///
/// A mailbox calls it on any thread, without holding a lock. All calls except ``ended(_:)`` with
/// ``DeliveryOutcome/removed`` come from one task at a time, in order.
public protocol DeliveryTracker: AnyObject, Sendable {
    /// Whether the mailbox awaits ``willRun(attempt:)`` before each call.
    var marksStart: Bool { get }

    /// The number of earlier attempts that do not count towards the listener's ``RetryPolicy``.
    var uncounted: Int { get }

    /// The owner of the delivery, for ``DurableMailbox/withdraw(from:)``.
    var owner: AnyObject { get }

    /// Whether the owner has withdrawn its deliveries, so that no further call begins. See
    /// ``DurableMailbox/withdraw(from:)``.
    var isWithdrawn: Bool { get }

    /// Prepares a call of the listener, which begins after this returns. Does not count against the time limit.
    func willRun(attempt: Int) async

    /// Records a failed attempt. Another one follows, unless the listener is removed meanwhile.
    func attemptFailed(_ attempt: Int, error: String)

    /// Records the outcome. Called exactly once, as the last call.
    func ended(_ outcome: DeliveryOutcome)
}

/// How the delivery of an event to one listener ended.
public enum DeliveryOutcome: Sendable {
    /// The listener returned.
    case finished
    /// The listener failed and is not called again. `attempts` is the number of the last attempt.
    case failed(error: String, attempts: Int)
    /// The listener left the bus, or the owner withdrew the delivery, before a call or between two calls.
    case removed
}
