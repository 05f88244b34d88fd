import MessageStore
import Mosquitto

extension Broker {
    /// The default session expiry if there are durable inbound routes: a day.
    private static let sessionExpiry: Duration = .seconds(86_400)

    /// With durable inbound routes: requests a session that outlives the process, under a client identifier from the
    /// store.
    func keepingSession(for routes: [Route], in store: any MessageStore) throws(StoreError) -> Broker {
        var broker = self
        if options.isClientIDGenerated {
            broker.options.clientID = try store.text(
                named: "client identifier at \(name)",
                initial: options.clientID
            )
        }
        guard routes.contains(where: { $0.isDurable && $0.direction.includesIn }) else {
            // A session of former durable routes must be ended, or the broker would continue to queue messages for it.
            // A connection with its client identifier and without a session expiry ends it.
            let mayBeKept = try SessionMemory.holdsAny(name, clientID: broker.options.clientID, in: store)
            return mayBeKept ? broker : self
        }
        if options.session.expiry == .zero { broker.options.session.expiry = Self.sessionExpiry }
        return broker
    }
}
