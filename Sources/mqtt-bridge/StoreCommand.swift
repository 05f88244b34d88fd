import ArgumentParser
import AsyncEventBus
import MQTTBridge
import MessageStore
import Mosquitto
import SQLiteStore

/// `mqtt-bridge store`: what is in a store, and whether it is sound.
struct StoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store",
        abstract: "Says what is in a store, and whether it is sound; also while a bridge uses it.",
        subcommands: [StoreStatusCommand.self, StoreCheckCommand.self]
    )
}

/// `mqtt-bridge store status`: how much is there.
struct StoreStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Says how much a store holds, by direction and route, and which process uses it."
    )

    @OptionGroup var location: StoreLocation

    @Option(help: "How the answer is printed: text for people, json for programs.")
    var format: OutputFormat = .text

    func run() async throws {
        try await Exit.reporting {
            let report = try location.withStore { store in
                StoreReport(path: store.path, status: try store.status(), owner: StoreOwner(of: store.path))
            }
            print(format == .json ? report.json : report.text(now: .now))
        }
    }
}

/// `mqtt-bridge store check`: reads everything.
struct StoreCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Reads a store from end to end, and says what is wrong with it; exit 0 or 65."
    )

    @OptionGroup var location: StoreLocation

    @Option(help: "How the answer is printed: text for people, json for programs.")
    var format: OutputFormat = .text

    func run() async throws {
        try await Exit.reporting {
            let path = try location.path
            let problems: [String]
            do {
                problems = try location.withStore { try $0.check() }
            } catch let error as StoreError where error.code == .damaged {
                // So damaged that it cannot even be opened.
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
            if !problems.isEmpty { throw Exit.unusableData }
        }
    }
}
