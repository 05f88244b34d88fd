import ArgumentParser
import MQTTBridge
import Mosquitto
import SQLiteStore

/// `mqtt-bridge store backup`: copies a store to a new file.
struct BackUpStoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copy a store, as it is at one moment, to a new file; also while a bridge uses it.",
        discussion: """
            The copy is a store: it is checked from end to end, belongs to this user alone, and is on the medium when this ends. \
            A failure leaves nothing behind; a command that is killed leaves FILE.partial, which the next one replaces.

            A bridge that starts from the copy publishes and delivers again what was done since, and does not have what came since.
            """
    )

    @Argument(help: "The file to write; it must not exist yet.")
    var file: String

    @OptionGroup var location: StoreLocation

    @Option(help: "How the answer is printed: text for people, json for programs.")
    var format: OutputFormat = .text

    func run() async throws {
        try await ExitCode.reporting {
            let path = try location.withStore { store in
                try store.backup(to: file)
                return store.path
            }
            let size = SQLiteStore.size(of: file)
            switch format {
            case .text: print("\(escapedForLog(file, limit: 4_096)): \(StoreReport.size(size)), sound")
            case .json:
                print(
                    JSONText.object([
                        ("path", JSONText.string(path)), ("backup", JSONText.string(file)), ("size", String(size)),
                    ])
                )
            }
        }
    }
}
