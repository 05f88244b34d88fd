import ArgumentParser
import MQTTBridge
import Mosquitto
import SQLiteStore

/// `mqtt-bridge store compact`: shortens the file to its content.
struct CompactStoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compact",
        abstract: "Shorten the file of a store to its content, while no bridge uses the store.",
        discussion: """
            A running bridge shortens the file by itself while most of it is free. This command frees the rest too. It needs \
            as much free space as the content takes, and the same in the folder of temporary files (SQLITE_TMPDIR, else \
            TMPDIR, else /var/tmp). Exit 73 while a bridge uses the store.
            """
    )

    @OptionGroup var location: StoreLocation

    @Option(help: "The output format: text for people, json for programs.")
    var format: OutputFormat = .text

    func run() async throws {
        try await ExitCode.reporting {
            let path = try location.path
            let before = SQLiteStore.size(of: path)
            try location.withStoppedStore { try $0.compact() }
            let after = SQLiteStore.size(of: path)
            switch format {
            case .text:
                let sizes = "\(StoreReport.size(before)) before, \(StoreReport.size(after)) now"
                print("\(escapedForLog(path, limit: 4_096)): \(sizes)")
            case .json:
                print(
                    JSONText.object([
                        ("path", JSONText.string(path)), ("before", String(before)), ("after", String(after)),
                    ])
                )
            }
        }
    }
}
