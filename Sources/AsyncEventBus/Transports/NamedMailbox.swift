/// The mailbox of a named listener, as transports see it that keep events until listeners have dealt with them.
///
/// Equal if it is the same mailbox. When the listener has left the bus, its mailbox may be kept and does no harm:
/// what is offered there ends at once as ``DeliveryOutcome/removed``.
public struct NamedMailbox: Sendable {
    let mailbox: any Mailbox

    /// The name of the listener.
    public var name: String { mailbox.listener.name }

    /// Whether the listener may be called before an offer returns. An event that others hear as well is offered to
    /// them first.
    public var isImmediate: Bool { mailbox.isImmediate }

    /// The most events of other origin that wait there; a measure for how many to offer at a time.
    public var capacity: Int { mailbox.listener.capacity }

    /// How many events wait there.
    public var waiting: Int { mailbox.load.waiting }

    /// Puts an event into the mailbox, however full that is: it is never displaced, and does not count against the
    /// capacity, neither in number nor in bytes. The caller bounds how many wait. Returns at once, unless the listener
    /// is immediate. Events offered by one thread are taken in that order.
    ///
    /// - Parameters:
    ///   - attempt: The number of the first call here: 3 after two calls in an earlier life. If the listener's attempts
    ///     are used up already, without those that the tracker does not count, it is called once.
    ///   - tracker: Is told what happens; at once, if the listener has left the bus.
    public func offer(_ event: Event, attempt: Int, tracker: any DeliveryTracker) {
        mailbox.offer(PendingDelivery(event: event.attempt(attempt), receipt: nil, tracker: tracker))
    }

    /// Puts events into the mailbox as ``offer(_:attempt:tracker:)`` does one after the other, and takes its lock once.
    public func offer(contentsOf deliveries: [(event: Event, attempt: Int, tracker: any DeliveryTracker)]) {
        mailbox.offer(
            contentsOf: deliveries.map {
                PendingDelivery(event: $0.event.attempt($0.attempt), receipt: nil, tracker: $0.tracker)
            }
        )
    }

    /// Takes back the deliveries of a transport for which no call has begun, resting ones included: they end as
    /// ``DeliveryOutcome/removed``. Running calls go on to their end.
    ///
    /// To be called when the trackers say ``DeliveryTracker/isWithdrawn``: then a call that fails now is not repeated
    /// either. A thread that is about to offer meanwhile takes its events back by the same call.
    public func withdraw(from owner: AnyObject) { mailbox.withdraw(from: owner) }
}

extension NamedMailbox: Hashable {
    /// Whether both are the same mailbox.
    public static func == (left: NamedMailbox, right: NamedMailbox) -> Bool { left.mailbox === right.mailbox }

    /// Hashes the identity.
    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(mailbox)) }
}
