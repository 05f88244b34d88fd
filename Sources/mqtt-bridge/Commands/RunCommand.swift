import ArgumentParser
import BridgeDaemon
import BufferedIO
import Mosquitto

/// `mqtt-bridge run`: runs the daemon.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run the bridge and print events, until SIGTERM or SIGINT.",
        discussion: """
            SIGHUP reads the configuration again: routes change, and brokers are added and removed, without a lost message. A file \
            with a mistake, or with a change of a broker, of the limits or of the store, changes nothing; the log says why.
            """
    )

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var embedded: EmbeddedBrokerOptions

    @Option(help: "The format of events: text for people, json for programs.")
    var format: EventFormat = .text

    @Flag(help: "Also print events about the bridge and the bus, whose names begin with $bridge and $bus.")
    var status = false

    @Flag(help: "Read lines of JSON, {\"event\": …, \"payload\": …}, from standard input and emit them.")
    var stdin = false

    @Flag(
        help: ArgumentHelp(
            "Answer each line of standard input on standard output when it is stored, and again when it is published.",
            discussion:
                "{\"receipt\": LINE, \"id\": …, \"stored\": true}, and later \"published\": true. If the daemon ends first, \"pending\": true: the next daemon publishes it. Lines are numbered from 1."
        )
    )
    var receipts = false

    @Option(
        help: ArgumentHelp(
            "The file for the messages of durable routes, created if it is missing.",
            discussion: "Replaces the path in the configuration.",
            valueName: "path"
        )
    )
    var store: String?

    @Option(help: "The lowest level that is logged: trace, debug, info, notice, warning, error, critical.")
    var logLevel: LogLevel = .info

    func validate() throws {
        guard stdin || !receipts else { throw ValidationError("--receipts goes with --stdin") }
    }

    func run() async throws {
        try await ExitCode.reporting {
            let logger = Log.bootstrap(logLevel.level)
            let source = try await SetupSource(isFile: connection.config != nil) { [connection, store] in
                try connection.load(store: store, keepsMessages: true)
            }
            BufferedIO.enable(logger)
            FreedMemory.keep()
            let options = Daemon.Options(
                format: format,
                printsStatus: status,
                readsInput: stdin,
                answersInput: receipts
            )
            try await embedded.around(source.initial) { setup in
                try await Daemon(setup, source: source, options: options, logger: logger).run()
            }
        }
    }
}
