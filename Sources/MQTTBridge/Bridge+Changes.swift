import AsyncEventBus
import Locking

extension Bridge {
    /// The current routes, in their order.
    public var routes: [Route] { context.routes.now.routes }

    /// Replaces the routes, and adds and removes brokers, before or while the bridge runs.
    ///
    /// From the return on, events and messages go by the new routes; messages in flight go by the former ones. The bridge
    /// then subscribes for the new routes and, after that, unsubscribes what no route needs: ``isReady`` is false until each
    /// broker has answered, and ``becomeReady()`` waits for it. No message that both the former and the new routes want is
    /// lost; one that comes between the two requests may come twice if their filters differ. A broker that is away is asked
    /// when it is back.
    ///
    /// A removed broker gets the queued messages before its client disconnects; stored messages for it stay in the store.
    /// Use its name again only when it has disconnected (``BridgeEvent``): two clients with one identifier end each other's
    /// connections.
    ///
    /// ```swift
    /// try bridge.use(bridge.routes + [Route("zigbee/{device}", "zigbee.{device}")])
    /// try await bridge.becomeReady()
    /// ```
    ///
    /// - Parameters:
    ///   - routes: All routes. If empty, one route that maps everything of the first broker both ways.
    ///   - brokers: The brokers to connect to in addition.
    ///   - names: The brokers to disconnect from.
    /// - Throws: ``BridgeChangeError``, ``RouteProblems``, ``BridgeConflict``, and for added brokers the errors of the
    ///   initializer; then nothing has changed. `StoreError` if the store cannot be written: then the subscriptions at some of
    ///   the brokers may have changed, and the routes have not.
    public func use(_ routes: [Route], adding brokers: [Broker] = [], removing names: Set<String> = []) throws {
        try changes.withLock { _ in try change(routes, adding: brokers, removing: names) }
    }

    private func change(_ routes: [Route], adding brokers: [Broker], removing names: Set<String>) throws {
        let (leaving, staying) = self.brokers.partitioned { names.contains($0.name) }
        var known = Set(self.brokers.map(\.name))
        for broker in brokers where !known.insert(broker.name).inserted {
            throw BridgeChangeError(.nameTaken, broker: broker.name)
        }
        let remaining = staying.map(\.name) + brokers.map(\.name)
        let table = try RouteTable(
            Route.meant(by: routes, brokers: remaining),
            brokers: Set(remaining),
            hasStore: writer != nil
        )
        if let broker = staying.first(where: { $0.lacksSession(for: table) }) {
            throw BridgeChangeError(.sessionNeeded, broker: broker.name)
        }
        let added = try brokers.map { try makeConnection(to: $0, table) }
        try entry.change(to: (staying + added).map { BridgeRegister.InboundRoutes($0.broker, table.routes) })
        do {
            // Before the routes, so that a message on a topic of a former or a new route finds a subscription that covers it.
            for connection in staying { try connection.use(table) }
        } catch {
            let former = context.routes.now.routes
            try entry.change(to: self.brokers.map { BridgeRegister.InboundRoutes($0.broker, former) })
            throw error
        }
        for connection in added {
            context.readiness.add(connection.name)
            connect(connection)
        }
        router.use(table)
        writer?.use(table.routes)
        for connection in leaving { disconnect(connection) }
    }

    private func disconnect(_ connection: BrokerConnection) {
        router.remove(connection.name)
        writer?.remove(connection.name)
        context.readiness.remove(connection.name)
        state.withLock { state in state.brokers.removeAll { $0 === connection } }
        connection.finish()
    }
}

/// A change of a running bridge that is not possible: see ``Bridge/use(_:adding:removing:)``.
public struct BridgeChangeError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The reason.
    public enum Code: Sendable, Hashable {
        /// The bridge has a broker of this name, even if it is being removed.
        case nameTaken
        /// A durable inbound route needs a session that outlives the connection. A client asks for it when it connects (MQTT 5,
        /// section 3.1.2.11.2).
        case sessionNeeded
    }

    /// The reason.
    public let code: Code
    /// The name of the broker.
    public let broker: String

    init(_ code: Code, broker: String) {
        (self.code, self.broker) = (code, broker)
    }

    /// One line for display, with advice.
    public var description: String {
        let name = "broker \"\(escapedForLog(broker))\""
        return switch code {
        case .nameTaken:
            "\(name): the bridge has a broker of this name. Choose another one, or remove that broker first"
        case .sessionNeeded:
            "\(name): its connection keeps no session, which a durable inbound route needs. Set a session expiry for the "
                + "broker, or give the route to the bridge's initializer"
        }
    }
}

extension Array {
    fileprivate func partitioned(by isFirst: (Element) -> Bool) -> (first: [Element], second: [Element]) {
        (filter(isFirst), filter { !isFirst($0) })
    }
}
