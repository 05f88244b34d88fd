import Logging
import MQTTBridge
import ServiceLifecycle
import Site

/// Simulates three pumps, each with a meter behind it: `devices [LOCAL_URL]`.
@main
struct Devices {
    static func main() async throws {
        let bus = EventBus(name: "devices")
        let plants = ["1", "2", "3"].map { Plant(id: $0, bus: bus) }
        let byID = Dictionary(uniqueKeysWithValues: plants.map { ($0.id, $0) })
        bus.on(Site.command) { command, event in
            try await byID[event.id]?.carryOut(command)
        }
        bus.answer(Site.askPump) { _, event in
            guard let plant = try byID[event.id] else { throw UnknownPump(id: try event.id) }
            return await plant.state
        }
        let url = CommandLine.arguments.dropFirst().first ?? "mqtt://127.0.0.1:1883"
        let broker = try Broker(url, replyingWithin: Site.answers)
        let bridge = try Bridge(bus: bus, brokers: [broker], routes: Site.deviceRoutes)
        let services = ServiceGroup(
            services: [bridge] + plants,
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: Logger(label: "devices")
        )
        try await services.run()
    }
}

/// There is no pump of this number.
struct UnknownPump: Error {
    let id: String
}

/// A pump and its meter: while the pump runs, the pressure rises.
actor Plant: Service {
    nonisolated let id: String
    private let bus: EventBus
    private var bar = 4.0
    private(set) var state = PumpState(runs: true)

    init(id: String, bus: EventBus) {
        (self.id, self.bus) = (id, bus)
    }

    func run() async throws {
        try bus.emit(Site.pump(id: id), state)
        try await cancelWhenGracefulShutdown {
            while (try? await Task.sleep(for: .milliseconds(500))) != nil { try await self.measure() }
        }
    }

    func carryOut(_ command: PumpCommand) throws {
        state.runs = command.run
        try bus.emit(Site.pump(id: id), state)
    }

    private func measure() throws {
        bar += state.runs ? 0.5 : -0.5
        try bus.emit(Site.pressure(id: id), Reading(bar: bar))
    }
}
