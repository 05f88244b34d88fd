/// How the delivery of an event to one listener ended.
package enum DeliveryOutcome: Sendable {
    /// The listener returned.
    case finished
    /// The listener failed and is not called again. `attempts` is the number of the last attempt.
    case failed(error: String, attempts: Int)
    /// The listener left the bus before it ran, or while it rested between two attempts.
    case removed
}

/// Follows the delivery of one event to one listener: for transports that keep events until they are dealt with.
///
/// A mailbox calls it on whatever thread, without holding a lock. All calls but the one of ``ended(_:)`` that tells of
/// a removal come from one task at a time, in the order of what they tell.
package protocol DeliveryTracker: AnyObject, Sendable {
    /// Whether ``willRun(attempt:)`` is to be awaited before each call.
    var marksStart: Bool { get }

    /// The listener is about to be called; the call waits until this returns. Does not count against its time limit.
    func willRun(attempt: Int) async

    /// An attempt failed, and another will follow, unless the listener is removed meanwhile.
    func attemptFailed(_ attempt: Int, error: String)

    /// It is over. Called exactly once; nothing else is called after it.
    func ended(_ outcome: DeliveryOutcome)
}

/// The mailbox of a named listener, seen by a transport that keeps events.
///
/// Equal when it is the same mailbox. A closed one, whose listener has left the bus, may be kept and does no harm.
package struct NamedInbox: Sendable {
    let mailbox: Mailbox

    /// The name of the listener.
    package var name: String { mailbox.listener.name }

    /// Whether the listener may be called before an offer returns. Others are to be offered first what both hear.
    package var isImmediate: Bool { mailbox.isImmediate }

    /// The most events of others that wait there; a measure for how many to offer at a time.
    package var capacity: Int { mailbox.listener.capacity }

    /// Puts an event into the mailbox, however full that is: it is never displaced, and does not count against the
    /// capacity. The caller bounds how many wait. Returns at once, unless the listener is immediate.
    ///
    /// - Parameters:
    ///   - attempt: The number of the first call here: 3 after two calls in an earlier life. When the listener's
    ///     attempts are used up already, it is called once.
    ///   - tracker: Is told what happens; at once, when the listener has left the bus.
    package func offer(_ event: Event, attempt: Int, tracker: any DeliveryTracker) {
        mailbox.offer(Parcel(event: event.attempt(attempt), receipt: nil, tracker: tracker))
    }

    /// Puts events into the mailbox as ``offer(_:attempt:tracker:)`` does one after the other, and takes its lock once.
    package func offer(contentsOf deliveries: [(event: Event, attempt: Int, tracker: any DeliveryTracker)]) {
        mailbox.offer(
            contentsOf: deliveries.map {
                Parcel(event: $0.event.attempt($0.attempt), receipt: nil, tracker: $0.tracker)
            }
        )
    }
}

extension NamedInbox: Hashable {
    /// Whether both are the same mailbox.
    package static func == (left: NamedInbox, right: NamedInbox) -> Bool { left.mailbox === right.mailbox }

    /// Hashes the identity.
    package func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(mailbox)) }
}
