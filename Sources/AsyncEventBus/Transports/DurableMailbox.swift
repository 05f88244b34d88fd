/// The mailbox of a durable listener, for transports that store events until listeners have finished.
///
/// It may be kept after the listener has left the bus: events offered to it then end at once as
/// ``DeliveryOutcome/removed``.
public struct DurableMailbox: Sendable {
    let mailbox: any Mailbox

    /// The name of the listener.
    public var name: String { mailbox.listener.name }

    /// Whether the listener may be called before an offer returns. Offer a shared event to the other listeners first.
    public var isImmediate: Bool { mailbox.isImmediate }

    /// The most events from other sources that wait; a guide for how many to offer at a time.
    public var capacity: Int { mailbox.listener.capacity }

    /// The number of waiting events.
    public var waiting: Int { mailbox.load.waiting }

    /// Puts an event into the mailbox, even if that is full: the event is never displaced, and does not count against
    /// the capacity, neither in number nor in bytes. The caller bounds how many wait. Returns at once, unless the
    /// listener is immediate. Events offered by one thread are taken in that order.
    ///
    /// - Parameters:
    ///   - event: The event.
    ///   - attempt: The number of the first call here: 3 after two calls in an earlier process. If the listener's
    ///     attempts are used up already, not counting attempts that the tracker excludes, it is called once.
    ///   - tracker: Follows the delivery, which ends at once if the listener has left the bus.
    public func offer(_ event: Event, attempt: Int, tracker: any DeliveryTracker) {
        mailbox.offer(PendingDelivery(event: event.attempt(attempt), receipt: nil, tracker: tracker))
    }

    /// Puts events into the mailbox in order, as ``offer(_:attempt:tracker:)`` does, but takes its lock once.
    public func offer(contentsOf deliveries: [(event: Event, attempt: Int, tracker: any DeliveryTracker)]) {
        mailbox.offer(
            contentsOf: deliveries.map {
                PendingDelivery(event: $0.event.attempt($0.attempt), receipt: nil, tracker: $0.tracker)
            }
        )
    }

    /// Withdraws the deliveries of an owner for which no call has begun, including retries: they end as
    /// ``DeliveryOutcome/removed``. Running calls run to their end.
    ///
    /// Call it when the trackers report ``DeliveryTracker/isWithdrawn``: then a call that fails is not repeated either.
    /// A thread that offers events at the same time withdraws them by the same call.
    public func withdraw(from owner: AnyObject) { mailbox.withdraw(from: owner) }
}

extension DurableMailbox: Hashable {
    /// Whether both are the same mailbox.
    public static func == (left: DurableMailbox, right: DurableMailbox) -> Bool { left.mailbox === right.mailbox }

    /// Hashes the identity.
    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(mailbox)) }
}
