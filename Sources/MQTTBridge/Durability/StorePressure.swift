import Locking
import MessageStore
import Mosquitto

/// Stops reading from brokers whose messages the store cannot take, and goes on when it can.
final class StorePressure: Sendable {
    private struct State {
        var clients: [String: Client] = [:]
        /// Routes that messages of a broker are passed on by.
        var forwards: [String: Set<String>] = [:]
        var held: Set<String> = []
        /// Of those, the ones that wait for a quarter to be free.
        var waiting: Set<String> = []
    }

    private let work: StoreWork
    /// The durable routes that bring messages in, by broker.
    private let incoming: [String: [String]]
    private let state = Locked(State())

    init(work: StoreWork, routes: [Route]) {
        self.work = work
        incoming = Dictionary(
            grouping: routes.filter { $0.isDurable && $0.direction.includesIn },
            by: \.broker
        ).mapValues { $0.map(\.name) }
    }

    func setClients(_ clients: [String: Client]) {
        state.withLock { $0.clients = clients }
    }

    /// A message of a broker was passed on by a route.
    func forwards(from broker: String, by route: String) {
        state.withLock { _ = $0.forwards[broker, default: []].insert(route) }
    }

    /// Whether nothing is read from a broker.
    func isHeld(_ broker: String) -> Bool { state.withLock { $0.held.contains(broker) } }

    /// Looks whether each broker must wait, or waits no longer.
    func update(isFailing: Bool) {
        let forwards = state.withLock { $0.forwards }
        let (full, roomy) = work.withGauge { gauge -> (Set<String>, Set<String>) in
            var full: Set<String> = []
            var roomy: Set<String> = []
            for (broker, routes) in incoming {
                let onward = forwards[broker] ?? []
                if routes.contains(where: { gauge.isFull(.inbound, route: $0) })
                    || onward.contains(where: { gauge.isFull(.outbound, route: $0) })
                {
                    full.insert(broker)
                } else if routes.allSatisfy({ gauge.hasRoom(.inbound, route: $0) })
                    && onward.allSatisfy({ gauge.hasRoom(.outbound, route: $0) })
                {
                    roomy.insert(broker)
                }
            }
            return (full, roomy)
        }
        let (holding, resuming) = state.withLock { state -> ([Client], [Client]) in
            state.waiting.formUnion(full)
            state.waiting.subtract(roomy)
            let stopped = isFailing ? Set(incoming.keys) : state.waiting
            let holding = stopped.subtracting(state.held)
            let resuming = state.held.subtracting(stopped)
            state.held.formUnion(holding)
            state.held.subtract(resuming)
            return (holding.compactMap { state.clients[$0] }, resuming.compactMap { state.clients[$0] })
        }
        for client in holding { client.hold() }
        for client in resuming { client.resume() }
    }
}
