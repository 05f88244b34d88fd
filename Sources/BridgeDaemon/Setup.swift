package import MQTTBridge
package import Mosquitto
package import SQLiteStore

/// The brokers, routes, limits and store of a bridge.
package struct Setup: Sendable {
    /// The brokers; at least one.
    package var brokers: [Broker]
    /// The routes; if there are none, one route maps everything both ways.
    package var routes: [Route]
    /// The limits.
    package var options: BridgeOptions
    /// The store of durable messages; nil for none.
    package var store: SQLiteStoreOptions?

    /// Creates a setup without a store.
    package init(brokers: [Broker], routes: [Route], options: BridgeOptions) {
        (self.brokers, self.routes, self.options) = (brokers, routes, options)
    }

    /// The routes, with the one that is meant if there are none.
    var effectiveRoutes: [Route] { Route.meant(by: routes, brokers: brokers.map(\.name)) }

    /// Returns a setup for a short-lived command, with a client identifier of its own and without a store, so that the
    /// command does not take over the daemon's session.
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
        guest.routes = guest.effectiveRoutes.compactMap { route in
            guard route.direction == .both || route.direction == direction else { return nil }
            var route = route
            route.direction = direction
            // The store belongs to the daemon.
            route.durability = .memory
            return route
        }
        // Do not connect to brokers without a remaining route.
        let concerned = Set(guest.routes.map(\.broker))
        guest.brokers.removeAll { !concerned.contains($0.name) }
        return guest
    }
}
