import ArgumentParser
import MQTTBridge
import Mosquitto
import SQLiteStore

/// `mqtt-bridge store backup`: copies a store to a new file.
struct BackUpStoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copy a snapshot of a store to a new file, also while a bridge uses the store.",
        discussion: """
            The copy is a store itself. It has passed a full check, only this user can read it, and it is synced to the medium \
            when the command ends. A failure leaves no file; a killed command leaves FILE.partial, which the next one replaces.

            A bridge that starts from the copy repeats the deliveries and publishes since the backup, and lacks the messages \
            that arrived since.
            """
    )

    @Argument(help: "The file to write; it must not exist yet.")
    var file: String

    @OptionGroup var location: StoreLocation

    @Option(help: "The output format: text for people, json for programs.")
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
