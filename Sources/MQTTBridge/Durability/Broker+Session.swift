import MessageStore
import Mosquitto

extension Broker {
    /// How long a broker keeps the session of a bridge with durable routes in, unless the options say otherwise.
    private static let sessionExpiry: Duration = .seconds(86_400)

    /// With durable routes in: asks for a session that outlives us, under an identifier that stays the same.
    func keepingSession(for routes: [Route], in store: any MessageStore) throws(StoreError) -> Broker {
        guard routes.contains(where: { $0.isDurable && $0.direction.includesIn }) else { return self }
        var broker = self
        if options.isClientIDGenerated {
            broker.options.clientID = try store.text(
                named: "client identifier at \(name)",
                initial: options.clientID
            )
        }
        if options.sessionExpiry == .zero { broker.options.sessionExpiry = Self.sessionExpiry }
        return broker
    }
}
