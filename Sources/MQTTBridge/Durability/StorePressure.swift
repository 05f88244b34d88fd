import Locking
import MessageStore
import Mosquitto

/// Back-pressure: holds the clients of brokers whose messages the store cannot take, and resumes them when it can.
final class StorePressure: Sendable {
    private struct State {
        var clients: [String: any BrokerClient] = [:]
        /// The durable inbound routes of each broker.
        var incoming: [String: [String]]
        /// The outbound routes that have forwarded messages of each broker.
        var forwards: [String: Set<String>] = [:]
        var held: Set<String> = []
        /// Whether clients are no longer held or resumed.
        var isStopped = false
        /// The brokers that wait for a quarter of the limit to be free.
        var waiting: Set<String> = []
    }

    private let pending: PendingCommits
    private let state: Locked<State>

    init(pending: PendingCommits, routes: [Route]) {
        self.pending = pending
        state = Locked(State(incoming: Self.incoming(routes)))
    }

    private static func incoming(_ routes: [Route]) -> [String: [String]] {
        Dictionary(grouping: routes.filter { $0.isDurable && $0.direction.includesIn }, by: \.broker)
            .mapValues { $0.map(\.name) }
    }

    /// Replaces the routes. Takes effect with the next ``update(isFailing:)``.
    func use(_ routes: [Route]) {
        state.withLock { state in
            state.incoming = Self.incoming(routes)
            state.forwards = [:]
        }
    }

    func add(_ client: any BrokerClient, of broker: String) {
        state.withLock { $0.clients[broker] = client }
    }

    func remove(_ broker: String) {
        state.withLock { state in
            state.clients[broker] = nil
            state.held.remove(broker)
            state.waiting.remove(broker)
        }
    }

    /// Records that a route forwards messages of a broker.
    func forwards(from broker: String, by route: String) {
        state.withLock { _ = $0.forwards[broker, default: []].insert(route) }
    }

    /// Stops holding and resuming clients, at shutdown.
    func stop() { state.withLock { $0.isStopped = true } }

    func isHeld(_ broker: String) -> Bool { state.withLock { $0.held.contains(broker) } }

    /// Holds and resumes clients by the state of the store.
    func update(isFailing: Bool) {
        let (incoming, forwards) = state.withLock { ($0.incoming, $0.forwards) }
        let (full, roomy) = pending.withGauge { gauge -> (Set<String>, Set<String>) in
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
        let (holding, resuming) = state.withLock { state -> ([any BrokerClient], [any BrokerClient]) in
            guard !state.isStopped else { return ([], []) }
            state.waiting.formUnion(full)
            state.waiting.formIntersection(incoming.keys)
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
