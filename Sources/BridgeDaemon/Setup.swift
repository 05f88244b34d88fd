package import MQTTBridge
package import Mosquitto
package import SQLiteStore

/// The brokers, routes and limits of a bridge.
package struct Setup: Sendable {
    /// The brokers, one or more.
    package var brokers: [Broker]
    /// The routes; none for one that maps everything both ways.
    package var routes: [Route]
    /// The limits.
    package var options: BridgeOptions
    /// The store of durable messages; nil for none.
    package var store: SQLiteStoreOptions?

    /// A setup without a store.
    package init(brokers: [Broker], routes: [Route], options: BridgeOptions) {
        (self.brokers, self.routes, self.options) = (brokers, routes, options)
    }

    /// The same brokers as somebody else: a short-lived command must not take the daemon's place at the broker.
    package func asGuest(
        _ purpose: String,
        persistence: ClientOptions.Reconnect.Persistence,
        direction: Route.Direction
    ) -> Setup {
        var guest = self
        guest.store = nil
        for position in guest.brokers.indices {
            var options = guest.brokers[position].options
            options.clientID = ClientOptions.randomClientID() + "-" + purpose
            options.session.expiry = .zero
            options.will = nil
            options.reconnect.persistence = persistence
            guest.brokers[position].options = options
        }
        if guest.routes.isEmpty { guest.routes = [.everything(broker: guest.brokers[0].name)] }
        guest.routes = guest.routes.compactMap { route in
            guard route.direction == .both || route.direction == direction else { return nil }
            var route = route
            route.direction = direction
            // The store is the daemon's.
            route.durability = .memory
            return route
        }
        // A broker that none of these routes concerns is left alone.
        let concerned = Set(guest.routes.map(\.broker))
        guest.brokers.removeAll { !concerned.contains($0.name) }
        return guest
    }
}
