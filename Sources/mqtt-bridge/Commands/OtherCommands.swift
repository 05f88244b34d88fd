import ArgumentParser
import AsyncEventBus
import BridgeDaemon
import Foundation
import MQTTBridge
import MQTTBridgeConfiguration
import Mosquitto
import SQLiteStore

/// `mqtt-bridge check`: says everything that is wrong with a configuration.
struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Says everything that is wrong with a configuration, as FILE:LINE:COLUMN: error: …; exit 0 or 78."
    )

    @Argument(help: "The configuration file.")
    var file: String

    func run() async throws {
        try await Exit.reporting {
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

/// `mqtt-bridge explain`: says what the routes make of a topic or an event.
struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Says which routes match a topic or an event, what becomes of it, and what the loop guard does."
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
        try await Exit.reporting {
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

/// `mqtt-bridge init`: writes a configuration to begin with.
struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Writes a commented configuration to begin with, to a new file or to standard output."
    )

    @Argument(help: "The file to write; it must not exist yet.")
    var file: String?

    func run() async throws {
        try await Exit.reporting {
            guard let file else {
                print(BridgeConfiguration.starter, terminator: "")
                return
            }
            do {
                try Data(BridgeConfiguration.starter.utf8).write(
                    to: URL(fileURLWithPath: file),
                    options: .withoutOverwriting
                )
            } catch let error as CocoaError where error.code == .fileWriteFileExists {
                throw ValidationError("\(file) exists already; choose another name")
            }
            print("wrote \(file); next: mqtt-bridge check \(file), then mqtt-bridge run --config \(file)")
        }
    }
}

/// `mqtt-bridge version`: says what runs here.
struct VersionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Says what runs here.")

    func run() async throws {
        print("mqtt-bridge 0.1.0")
        print("Swift \(Self.swiftVersion)")
        print("libmosquitto \(Library.versionText)")
    }

    /// The compiler's version; Swift has no other way to ask for it.
    private static var swiftVersion: String {
        #if compiler(>=6.5)
        "6.5 or later"
        #elseif compiler(>=6.4)
        "6.4"
        #elseif compiler(>=6.3)
        "6.3"
        #else
        "6.2"
        #endif
    }
}
