import ArgumentParser
import AsyncEventBus
import MQTTBridge

/// From the broker to one async listener, which counts.
struct In: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Counts the events of messages that come in.")

    @OptionGroup var options: PeerOptions
    @Option(help: "How many events wait for a listener.")
    var capacity = 65_536
    @Option(help: "How many listeners count; each hears every event.")
    var listeners = 1
    @Option(help: "How many routes there are, all but one for other topics.")
    var routes = 1
    @Option(help: "How many patterns other listeners have, for other events.")
    var patterns = 0
    @Option(help: "How many bridges there are, each with a bus of its own; the messages are shared out among them.")
    var bridges = 1

    func run() async throws {
        let counter = Counter(target: options.messages * listeners)
        let sides = try (0..<bridges).map { _ in try side(counter) }
        let bus = sides[0].bus
        try await withRunning(sides.map(\.bridge)) {
            bus.emit("ready")
            try await counter.becomeComplete {
                sides.reduce(0) { sum, side in
                    sum + side.listeners.reduce(0) { $0 + Int(side.bus.load(of: $1)?.dropped ?? 0) }
                }
            }
            bus.emit("done", Payload("\(counter.value / listeners)"))
        }
    }

    private func side(_ counter: Counter) throws -> (bus: EventBus, bridge: Bridge, listeners: [Listener]) {
        let bus = EventBus()
        let counting = (0..<listeners).map { _ in
            bus.on("bench.*", .capacity(capacity), .immediate(options.immediate)) { _ in counter.increment() }
        }
        for number in 0..<patterns { bus.on(try EventPattern("other\(number).*")) { _ in } }
        let others = try (1..<max(1, routes)).map { number in
            Route(try TopicTemplate("other\(number)/{n}"), try EventTemplate("other\(number).{n}"), direction: .in)
        }
        let route = Route("bench/{n}", "bench.{n}", direction: .in, qos: try options.level)
        return (bus, try options.bridge(on: bus, [route] + others), counting)
    }
}
