/// Follows the delivery of one event to one named listener: for transports that keep events until they are dealt with.
///
/// A mailbox calls it on whatever thread, without holding a lock. All calls but that of ``ended(_:)`` with
/// ``DeliveryOutcome/removed`` come from one task at a time, in the order of what happens.
public protocol DeliveryTracker: AnyObject, Sendable {
    /// Whether ``willRun(attempt:)`` is to be awaited before each call.
    var marksStart: Bool { get }

    /// How many of the attempts before this delivery do not count towards the listener's ``RetryPolicy``.
    var uncounted: Int { get }

    /// The transport that it belongs to.
    var owner: AnyObject { get }

    /// Whether the transport has taken its deliveries back: no call begins any more. See
    /// ``NamedMailbox/withdraw(from:)``.
    var isWithdrawn: Bool { get }

    /// The listener is about to be called; the call waits until this returns. Does not count against its time limit.
    func willRun(attempt: Int) async

    /// An attempt failed, and another will follow, unless the listener is removed meanwhile.
    func attemptFailed(_ attempt: Int, error: String)

    /// It is over. Called exactly once; nothing else is called after it.
    func ended(_ outcome: DeliveryOutcome)
}

/// How the delivery of an event to one listener ended.
public enum DeliveryOutcome: Sendable {
    /// The listener returned.
    case finished
    /// The listener failed and is not called again. `attempts` is the number of the last attempt.
    case failed(error: String, attempts: Int)
    /// The listener left the bus, or the transport took the delivery back, before a call or between two of them.
    case removed
}
