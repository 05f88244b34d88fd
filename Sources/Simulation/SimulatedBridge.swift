internal import AsyncEventBus
internal import MQTTBridge
internal import MessageStore
internal import Mosquitto

/// One bridge through all its processes: its store, its listeners, and the process that runs now.
// SAFETY: used by the one thread of the simulation.
final class SimulatedBridge: @unchecked Sendable {
    /// A named listener, which may be absent, slow or failing.
    struct Listener {
        let name: String
        let pattern: EventPattern
        /// Whether it hears what its own process emits, which no store keeps.
        var isLocal = false
        /// Whether the next process has it.
        var isThere = true
        /// How many of its next calls fail.
        var failures = 0
        /// How long each call takes.
        var delay: Duration = .zero
    }

    /// How often a listener is tried.
    static let attempts = 3

    let name: String
    let medium = SimulatedMedium()
    var listeners: [Listener]
    /// Those of the next process.
    var routes: BridgeRoutes
    private(set) var process: SimulatedProcess?
    /// How many processes there were.
    private var processes = 0
    /// How many processes were killed, and have successors.
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

    /// A process begins, unless one is there.
    func begin() {
        guard process?.isAlive != true else { return }
        if process?.hasEnded == false { kills += 1 }
        do {
            let process = try SimulatedProcess(loop, medium, brokers, routes)
            self.process = process
            processes += 1
            for index in listeners.indices where listeners[index].isThere { addListener(index, to: process) }
            process.start()
        } catch {
            witness.promise.breach("a process of \(name) does not begin: \(error)")
        }
    }

    /// The process is killed.
    func kill() {
        process?.kill()
        medium.kill = nil
    }

    /// The process ends in order, and another one begins.
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

    /// How many messages are in the store.
    var stored: Int { (try? medium.store.status())?.loads.reduce(0) { $0 + $1.messages } ?? 0 }

    /// Each session must hold the filters of the routes, and nothing else.
    func checkSessions() {
        for (broker, simulated) in brokers {
            let held = Set(simulated.sessions[broker.options.clientID]?.filters.keys ?? [:].keys)
            let wanted = process?.routes.filters[broker.name] ?? []
            if held != wanted {
                witness.promise.breach("\(broker.options.clientID) holds \(held.sorted()) and wants \(wanted.sorted())")
            }
        }
    }

    /// Everything works again, and the next process has all listeners.
    func heal() {
        (medium.failures, medium.isFull, medium.kill) = (0, false, nil)
        for index in listeners.indices {
            (listeners[index].isThere, listeners[index].failures, listeners[index].delay) = (true, 0, .zero)
        }
    }

    private func addListener(_ index: Int, to process: SimulatedProcess) {
        process.heard.insert(String(listeners[index].pattern.description.prefix { $0 != "." }))
        process.bus.on(
            listeners[index].pattern,
            name: listeners[index].name,
            delivery: .serial,
            capacity: 16,
            retry: RetryPolicy(attempts: Self.attempts, shortest: .milliseconds(50), longest: .milliseconds(50))
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
        // After a crash, and where the store has not got what was done, a listener may be called once more.
        let mishaps = listeners[index].isLocal ? processes : kills + medium.failed
        witness.saw(text, "\(event.id)", at: listeners[index].name, mishaps: mishaps)
    }
}

extension BrokerURL {
    /// Where no client ever connects to.
    fileprivate static var simulated: BrokerURL {
        guard let url = try? BrokerURL("mqtt://127.0.0.1:1") else { preconditionFailure("not a URL") }
        return url
    }
}
