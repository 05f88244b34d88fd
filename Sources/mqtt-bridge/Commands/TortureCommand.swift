import ArgumentParser
import BridgeDaemon
import Programs

/// `mqtt-bridge torture`: replaces this process with the program `mqtt-bridge-torture`, with the same arguments.
struct TortureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "torture",
        abstract: "Start a broker and a daemon, inject faults, and count lost and duplicate messages.",
        discussion: "Runs mqtt-bridge-torture from the folder of this program, or from PATH.",
        helpNames: []
    )

    private static let program = "mqtt-bridge-torture"

    @Argument(parsing: .captureForPassthrough, help: "The options; --help prints them.")
    var arguments: [String] = []

    func run() throws {
        guard let path = Program.path(beside: Self.program) ?? Program.path(of: Self.program) else {
            StandardError.write(
                """
                mqtt-bridge: \(Self.program) is not installed. Install the package of that name, or build it beside this \
                program: swift build --product \(Self.program)
                """
            )
            throw ExitCode(.unavailable)
        }
        StandardError.write("mqtt-bridge: \(Program.become(path, arguments: arguments))")
        throw ExitCode(.unavailable)
    }
}
