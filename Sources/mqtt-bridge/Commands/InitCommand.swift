import ArgumentParser
import BridgeDaemon
import Foundation
import MQTTBridgeConfiguration

/// `mqtt-bridge init`: writes a commented configuration to start from.
struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Write a commented configuration to start from, to a new file or to standard output."
    )

    @Argument(help: "The file to write; it must not exist yet.")
    var file: String?

    func run() async throws {
        try await ExitCode.reporting {
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
