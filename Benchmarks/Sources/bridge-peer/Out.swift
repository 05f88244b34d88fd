import ArgumentParser
import AsyncEventBus
import MQTTBridge

/// From the bus to the broker.
struct Out: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Sends events as fast as there is room for them.")

    @OptionGroup var options: PeerOptions
    @Option(help: "The size of each payload, in bytes.")
    var payload = 64

    func run() async throws {
        let bus = EventBus()
        let bridge = try options.bridge(
            on: bus,
            [Route("bench/{n}", "bench.{n}", direction: .out, qos: try options.level)]
        )
        let payload = Payload([UInt8](repeating: 0, count: payload))
        try await withRunning([bridge]) {
            for _ in 0..<options.messages { try await bus.emitWhenRoom("bench.0", payload) }
        }
    }
}
