import ArgumentParser
import AsyncEventBus
import BridgeDaemon
import MQTTBridge
import MessageStore
import Mosquitto
import SQLiteStore

/// `mqtt-bridge store`: the commands for a store.
struct StoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store",
        abstract:
            "Print the status of a store, check it, back it up, compact it, or drop messages without a consumer.",
        discussion: "status, check and backup may run while a bridge uses the store.",
        subcommands: [
            StoreStatusCommand.self, StoreCheckCommand.self, BackUpStoreCommand.self, CompactStoreCommand.self,
            DropFromStoreCommand.self,
        ]
    )
}

/// `mqtt-bridge store status`: prints counts and sizes of a store.
struct StoreStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Print the messages and bytes in a store by direction and route, and the process that uses it.",
        discussion: """
            With --config it also shows the messages of brokers, routes and listeners that a daemon with this configuration \
            does not have. The daemon's only listener is \(Daemon.listenerName): messages for the listeners of a program that \
            embeds the bridge are shown too.
            """
    )

    @OptionGroup var location: StoreLocation

    @Option(help: "The output format: text for people, json for programs.")
    var format: OutputFormat = .text

    func run() async throws {
        try await ExitCode.reporting {
            let owners = try location.configuration.map { ConfiguredOwners($0) }
            let report = try location.withStore { store in
                StoreReport(
                    path: store.path,
                    status: try store.status(),
                    others: try owners.map { $0.others(try store.shares()) },
                    owner: StoreOwner(of: store.path),
                    now: Timestamp(nanoseconds: try StoreClock(store).now)
                )
            }
            print(format == .json ? report.json : report.text)
        }
    }
}

/// `mqtt-bridge store check`: checks a whole store.
struct StoreCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check a whole store, and print every problem; exit 0 or 65."
    )

    @OptionGroup var location: StoreLocation

    @Option(help: "The output format: text for people, json for programs.")
    var format: OutputFormat = .text

    func run() async throws {
        try await ExitCode.reporting {
            let path = try location.path
            let problems: [String]
            do {
                problems = try location.withStore { try $0.check() }
            } catch let error as StoreError where [.damaged, .foreign].contains(error.code) {
                // The damage prevents the store from being opened.
                problems = [error.detail]
            }
            switch format {
            case .text:
                let shown = escapedForLog(path, limit: 4_096)
                if problems.isEmpty { print("\(shown): sound") }
                for problem in problems { print("\(shown): \(escapedForLog(problem, limit: 1_000))") }
            case .json:
                let list = problems.map(JSONText.string).joined(separator: ",")
                print(
                    JSONText.object([
                        ("path", JSONText.string(path)), ("sound", String(problems.isEmpty)), ("problems", "[\(list)]"),
                    ])
                )
            }
            if !problems.isEmpty { throw ExitCode(.unusableData) }
        }
    }
}
