/// A receiver of events on the bus: a mailbox or a subscription.
protocol EventSink: AnyObject, Sendable {
    /// The sink for transports, if it belongs to a durable listener.
    var asDurable: DurableMailbox? { get }

    /// Whether a listener may run before an offer returns.
    var isImmediate: Bool { get }

    /// Whether it is that of a listener that answers requests.
    var answersRequests: Bool { get }

    /// Accepts a delivery, or discards it by the policy. Never blocks.
    func offer(_ delivery: PendingDelivery)

    /// Offers deliveries in order.
    func offer(contentsOf deliveries: [PendingDelivery])

    /// Accepts a delivery, and suspends until there is room.
    func offerWhenRoom(_ delivery: PendingDelivery) async throws
}
