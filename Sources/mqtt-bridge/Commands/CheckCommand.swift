import ArgumentParser
import BridgeDaemon
import MQTTBridge
import MQTTBridgeConfiguration
import Mosquitto
import SQLiteStore

/// `mqtt-bridge check`: prints every mistake in a configuration.
struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Print every mistake in a configuration, as FILE:LINE:COLUMN: error: …; exit 0 or 78."
    )

    @Argument(help: "The configuration file.")
    var file: String

    func run() async throws {
        try await ExitCode.reporting {
            let configuration = try BridgeConfiguration(contentsOf: file)
            let file = escapedForLog(file, limit: 4_096)
            print(
                "\(file): \(configuration.brokers.count) broker(s), \(configuration.routes.count) route(s), no mistakes"
            )
            let notes = RouteCheck.notes(
                on: configuration.routes,
                brokers: configuration.brokers,
                hasStore: configuration.store != nil
            )
            for note in notes { StandardError.write("\(file): note: \(note)") }
            if let store = configuration.store, let obstacle = SQLiteStore.obstacle(at: SQLiteStoreOptions(store).path)
            {
                StandardError.write("\(file): note: the store cannot be used: \(obstacle)")
            }
        }
    }
}
