/// Where the bus puts events for one receiver.
protocol EventSink: AnyObject, Sendable {
    /// The sink for transports, if it is that of a named listener.
    var asNamed: NamedMailbox? { get }

    /// Whether what it takes may be heard before it returns.
    var isImmediate: Bool { get }

    /// Takes a delivery or discards it by its policy. Never blocks.
    func offer(_ delivery: PendingDelivery)

    /// Takes or discards deliveries as if they were offered one after the other.
    func offer(contentsOf deliveries: [PendingDelivery])

    /// Takes a delivery as soon as there is room.
    func offerWhenRoom(_ delivery: PendingDelivery) async throws
}
