import ArgumentParser
import BridgeDaemon
import Mosquitto

/// The command line of the bridge.
@main
struct MQTTBridgeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mqtt-bridge",
        abstract: "Join an in-process event bus to MQTT brokers.",
        discussion: """
            Exit codes: 0 done, 64 wrong usage, 65 damaged store, 66 not found, 69 broker unavailable, 70 a promise
            was broken, 73 store in use, 74 input/output error, 75 not ended 5 s after SIGTERM, 77 not permitted,
            78 wrong configuration.
            """,
        subcommands: [
            RunCommand.self, CheckCommand.self, ExplainCommand.self, EmitCommand.self, ListenCommand.self,
            InitCommand.self, StoreCommand.self, DeadLettersCommand.self, TortureCommand.self, VersionCommand.self,
        ]
    )

    static func main() async {
        // If the reader of the output is gone, the write fails; SIGPIPE would end the process silently.
        Library.ignoreBrokenPipes()
        CoreFiles.forbid()
        // In the arguments that Swift provides, U+FFFD has already replaced invalid UTF-8.
        if let position = RawArguments.firstThatIsNoText {
            StandardError.write(
                """
                mqtt-bridge: argument \(position) is not UTF-8. Write it in UTF-8; a payload of other bytes goes to \
                mqtt-bridge run --stdin as "payload_base64"
                """
            )
            Self.exit(withError: ExitCode(.usage))
        }
        await main(nil)
    }
}

/// The bytes of the command line arguments.
enum RawArguments {
    /// The position of the first argument that is not UTF-8, from 1; nil if all arguments are.
    static var firstThatIsNoText: Int? {
        // SAFETY: argv has argc C strings that live as long as the process, and nobody changes them.
        (1..<max(1, Int(CommandLine.argc))).first { position in
            guard let argument = CommandLine.unsafeArgv[position] else { return false }
            return String(validatingCString: argument) == nil
        }
    }
}
