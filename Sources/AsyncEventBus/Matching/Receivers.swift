/// Everything that receives the events of one name. Looked up once per name, then cached.
final class Receivers: Sendable {
    let sinks: [any EventSink]
    /// The sinks of durable listeners.
    let durable: [DurableMailbox]
    /// The other sinks.
    let others: [any EventSink]
    let transports: [any EventTransport]
    /// Whether there are receivers other than durable listeners.
    var hasOthers: Bool { !others.isEmpty || !transports.isEmpty }

    init(sinks: [any EventSink], transports: [any EventTransport]) {
        self.sinks = sinks
        self.transports = transports
        durable = sinks.compactMap(\.asDurable)
        others = durable.isEmpty ? sinks : sinks.filter { $0.asDurable == nil }
    }
}
