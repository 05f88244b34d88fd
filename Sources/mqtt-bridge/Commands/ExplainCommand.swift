import ArgumentParser
import AsyncEventBus
import BridgeDaemon
import MQTTBridge
import MQTTBridgeConfiguration

/// `mqtt-bridge explain`: prints the routes that match a topic or an event, and the result.
struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Print the routes that match a topic or an event, the result, and the decision of the loop guard."
    )

    @OptionGroup var connection: ConnectionOptions

    @Option(help: "A topic, as in home/kitchen/temperature.")
    var topic: String?

    @Option(help: "An event, as in climate.kitchen.temperature.")
    var event: String?

    func validate() throws {
        guard (topic == nil) != (event == nil) else { throw ValidationError("give --topic or --event") }
    }

    func run() async throws {
        try await ExitCode.reporting {
            let setup = try connection.load()
            let explanation = try Explanation(
                brokers: setup.brokers,
                routes: setup.routes,
                options: setup.options,
                hasStore: setup.store != nil
            )
            let lines: [String]
            if let topic {
                lines = explanation.lines(forTopic: topic)
            } else {
                lines = explanation.lines(forEvent: try EventName(event ?? ""))
            }
            print(lines.isEmpty ? "no route matches" : lines.joined(separator: "\n"))
        }
    }
}
