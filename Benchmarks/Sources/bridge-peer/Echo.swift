import ArgumentParser
import AsyncEventBus
import MQTTBridge

/// From the broker to a listener that emits each payload again, and so back to the broker.
struct Echo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Emits again what comes in.")

    @OptionGroup var options: PeerOptions

    func run() async throws {
        let bus = EventBus()
        let counter = Counter(target: options.messages)
        let listener = bus.on("bench.*", .immediate(options.immediate)) { event in
            bus.emit("echo", event.payload)
            counter.increment()
        }
        let level = try options.level
        let routes = [
            Route("bench/{n}", "bench.{n}", direction: .in, qos: level),
            Route("echo", "echo", direction: .out, qos: level),
        ]
        try await withRunning([try options.bridge(on: bus, routes)]) {
            bus.emit("ready")
            try await counter.becomeComplete { Int(bus.load(of: listener)?.dropped ?? 0) }
            bus.emit("done", Payload("\(counter.value)"))
        }
    }
}
