internal import AsyncEventBus
internal import MQTTBridge
internal import MessageStore
internal import Mosquitto

/// A bridge across all its processes: its store, its listeners, and its current process.
// SAFETY: used by the one thread of the simulation.
final class SimulatedBridge: @unchecked Sendable {
    /// A durable listener, which may be absent, slow or failing.
    struct Listener {
        let name: String
        let pattern: EventPattern
        /// Whether the listener receives events of its own process, which are not stored.
        var isLocal = false
        /// Whether the next process has this listener.
        var isThere = true
        /// How many of the next calls fail.
        var failures = 0
        /// The duration of each call.
        var delay: Duration = .zero
    }

    /// The number of attempts at each message.
    static let attempts = 3

    let name: String
    let medium = SimulatedMedium()
    var listeners: [Listener]
    /// The routes of the next process.
    var routes: BridgeRoutes
    private(set) var process: SimulatedProcess?
    /// The number of processes so far.
    private var processes = 0
    /// The number of processes that were killed and replaced.
    private(set) var kills = 0
    private let loop: EventLoop
    private let brokers: [(Broker, SimulatedBroker)]
    private let witness: Witness

    init(
        _ name: String,
        _ loop: EventLoop,
        _ brokers: [(SimulatedBroker, ProtocolVersion)],
        _ routes: BridgeRoutes,
        _ listeners: [Listener],
        _ witness: Witness
    ) {
        self.name = name
        self.loop = loop
        self.routes = routes
        self.listeners = listeners
        self.witness = witness
        self.brokers = brokers.map { broker, version in
            var options = ClientOptions(clientID: "\(name) at \(broker.name)")
            options.version = version
            options.session.expiry = .seconds(3_600)
            return (Broker([BrokerURL.simulated], name: broker.name, options: options), broker)
        }
        medium.whenCommitted = { [witness] in witness.committed($0, of: name) }
    }

    /// Starts a process, unless one is alive.
    func begin() {
        guard process?.isAlive != true else { return }
        if process?.hasEnded == false { kills += 1 }
        do {
            let process = try SimulatedProcess(loop, medium, brokers, routes)
            self.process = process
            processes += 1
            for index in listeners.indices where listeners[index].isThere { try addListener(index, to: process) }
            process.start()
        } catch {
            witness.promise.breach("a process of \(name) does not begin: \(error)")
        }
    }

    /// Kills the process.
    func kill() {
        process?.kill()
        medium.kill = nil
    }

    /// Shuts the process down in order, checks its receipts, and starts another one.
    func restart() {
        medium.kill = nil
        if let process, process.isAlive {
            process.stop()
            for _ in 0..<300 where !process.hasEnded { _ = loop.run(for: .milliseconds(100)) }
            if !process.hasEnded { witness.promise.breach("a process of \(name) does not end") }
            witness.checkReceipts(of: process)
            process.kill()
        }
        begin()
    }

    /// The number of messages in the store.
    var stored: Int { (try? medium.store.status())?.loads.reduce(0) { $0 + $1.messages } ?? 0 }

    /// Checks that each session has exactly the filters of the routes.
    func checkSessions() {
        for (broker, simulated) in brokers {
            let held = Set(simulated.sessions[broker.options.clientID]?.filters.keys ?? [:].keys)
            let wanted = process?.routes.filters[broker.name] ?? []
            if held != wanted {
                witness.promise.breach("\(broker.options.clientID) holds \(held.sorted()) and wants \(wanted.sorted())")
            }
        }
    }

    /// Ends all faults of the store and the listeners, and gives the next process all listeners.
    func heal() {
        (medium.failures, medium.isFull, medium.kill) = (0, false, nil)
        for index in listeners.indices {
            (listeners[index].isThere, listeners[index].failures, listeners[index].delay) = (true, 0, .zero)
        }
    }

    private func addListener(_ index: Int, to process: SimulatedProcess) throws(EventBusError) {
        process.heard.insert(String(listeners[index].pattern.description.prefix { $0 != "." }))
        try process.bus.on(
            listeners[index].pattern,
            durable: listeners[index].name,
            delivery: .serial,
            .capacity(16),
            .retry(Self.attempts, shortest: .milliseconds(50), longest: .milliseconds(50))
        ) { [self] event in
            guard process.isAlive else { return }
            try await hear(event, index, process)
        }
    }

    private func hear(_ event: Event, _ index: Int, _ process: SimulatedProcess) async throws {
        let delay = listeners[index].delay
        if delay > .zero { try await SimulatedClock(loop: loop).sleep(for: delay) }
        guard process.isAlive else { return }
        let text = event.payload.text ?? ""
        guard listeners[index].failures == 0 else {
            listeners[index].failures -= 1
            witness.refused(text, by: listeners[index].name)
            throw CancellationError()
        }
        // A message may be delivered again after a crash, or if the commit that marks it as finished has failed.
        let mishaps = listeners[index].isLocal ? processes : kills + medium.failed
        witness.saw(text, "\(event.id)", at: listeners[index].name, mishaps: mishaps)
    }
}

extension BrokerURL {
    /// A placeholder; no client connects to it.
    fileprivate static var simulated: BrokerURL {
        guard let url = try? BrokerURL("mqtt://127.0.0.1:1") else { preconditionFailure("not a URL") }
        return url
    }
}
