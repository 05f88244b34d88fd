import ArgumentParser
import Mosquitto
import SQLiteStore

/// `mqtt-bridge version`: prints the versions of the program and of its libraries.
struct VersionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version",
        abstract: "Print the versions of mqtt-bridge, Swift, libmosquitto and SQLite."
    )

    func run() async throws {
        print("mqtt-bridge 0.1.0")
        print("Swift \(Self.swiftVersion)")
        print("libmosquitto \(Library.versionText)")
        print("SQLite \(SQLiteStore.libraryVersion)")
    }

    /// The version of the compiler. Conditional compilation is Swift's only way to query it.
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
