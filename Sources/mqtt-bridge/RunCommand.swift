import ArgumentParser
import AsyncEventBus
import BufferedIO
import Logging
import MQTTBridge
import MessageStore
import Mosquitto
import SQLiteStore
import ServiceLifecycle
import UnixSignals

/// `mqtt-bridge run`: the daemon.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Connects and prints events, until SIGTERM or SIGINT."
    )

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var embedded: EmbeddedBrokerOptions

    @Option(help: "How events are printed: text for people, json for programs.")
    var format: EventFormat = .text

    @Flag(help: "Print what happens to the bridge as well: the events whose names begin with $bridge and $bus.")
    var status = false

    @Flag(help: "Read lines of JSON, {\"event\": …, \"payload\": …}, from standard input and emit them.")
    var stdin = false

    @Flag(
        help: ArgumentHelp(
            "Answer each line of standard input on standard output when it is stored, and when the broker has taken it.",
            discussion:
                "{\"receipt\": LINE, \"id\": …, \"stored\": true}, and later \"published\": true; lines count from 1."
        )
    )
    var receipts = false

    @Option(
        help: ArgumentHelp(
            "Keep the messages of durable routes in this file, which is made if it is missing.",
            discussion: "Takes the place of the configuration's path.",
            valueName: "path"
        )
    )
    var store: String?

    @Option(help: "The least severe messages that are logged: trace, debug, info, notice, warning, error, critical.")
    var logLevel: LogLevel = .info

    func validate() throws {
        guard stdin || !receipts else { throw ValidationError("--receipts goes with --stdin") }
    }

    func run() async throws {
        try await Exit.reporting {
            let logger = Log.bootstrap(logLevel.level)
            BufferedIO.enable(logger)
            FreedMemory.keep()
            let setup = try connection.load(store: store, keepsMessages: true)
            let (format, status, stdin, receipts) = (format, status, stdin, receipts)
            try await embedded.around(setup) { setup in
                let store = try setup.store.map { try Self.open($0, logger: logger) }
                defer { store?.close() }
                let output = EventOutput(format: format)
                let input = stdin ? Input(answers: receipts ? output : nil) : nil
                try await Self.run(setup, store, output, status: status, input, logger: logger)
            }
        }
    }

    private static func open(_ options: SQLiteStoreOptions, logger: Logger) throws -> SQLiteStore {
        let (store, movedAside) = try SQLiteStore.open(options)
        if let movedAside {
            logger.error(
                "the store was damaged; it was moved aside and a new one begun",
                metadata: ["moved-to": "\(movedAside)"]
            )
        }
        return store
    }

    /// What is done with standard input.
    private struct Input {
        /// Where its lines are answered; nil for nowhere.
        let answers: EventOutput?
    }

    private static func run(
        _ setup: Setup,
        _ store: SQLiteStore?,
        _ output: EventOutput,
        status: Bool,
        _ input: Input?,
        logger: Logger
    ) async throws {
        let bus = EventBus(name: "mqtt-bridge")
        // Holds what comes while the reader of standard output is slow. What is more waits in the store where there is
        // one for it; else it is dropped and counted.
        let printer = Listener("standard output", delivery: .serial, capacity: 65_536, retry: FailingEvent.retry) {
            event in
            try FailingEvent.check(event)
            output.write(event)
        }
        bus.addListener(printer, to: "**")
        if status { for pattern: EventPattern in ["$bridge.**", "$bus.**"] { bus.addListener(printer, to: pattern) } }
        let bridge = try Bridge(
            bus: bus,
            brokers: setup.brokers,
            routes: setup.routes,
            options: setup.options,
            store: store,
            logger: logger
        )
        var services: [any Service] = [bridge, ReadyNotice(bridge: bridge, setup: setup)]
        if let input { services.append(StandardInputService(bus: bus, answers: input.answers)) }
        let group = ServiceGroup(configuration: groupConfiguration(services, logger: logger))
        output.onClosed { await group.triggerGracefulShutdown() }
        try await group.run()
        await output.drain(bus)
    }

    /// The services end in the reverse of this order, all within the 5 s that service managers are promised.
    private static func groupConfiguration(_ services: [any Service], logger: Logger) -> ServiceGroupConfiguration {
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        var configuration = ServiceGroupConfiguration(
            services: services.map {
                ServiceGroupConfiguration.ServiceConfiguration(
                    service: $0,
                    successTerminationBehavior: .gracefullyShutdownGroup,
                    failureTerminationBehavior: .gracefullyShutdownGroup
                )
            },
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: quiet
        )
        configuration.maximumGracefulShutdownDuration = .seconds(3)
        return configuration
    }
}

/// The levels of the log, as the command line names them.
enum LogLevel: String, ExpressibleByArgument, CaseIterable {
    case trace, debug, info, notice, warning, error, critical

    var level: Logger.Level { Logger.Level(rawValue: rawValue) ?? .info }
}

/// Logs go to standard error, so that standard output holds events and nothing else.
enum Log {
    static func bootstrap(_ level: Logger.Level) -> Logger {
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
        return Logger(label: "mqtt-bridge")
    }
}

/// Says when every route is subscribed, whatever the log level: scripts wait for it.
struct ReadyNotice: Service {
    let bridge: Bridge
    let setup: Setup

    func run() async throws {
        await cancelWhenGracefulShutdown {
            do {
                try await bridge.becomeReady()
                let urls = setup.brokers.map { "\($0.name) at \($0.urls[0])" }.joined(separator: ", ")
                StandardError.write("mqtt-bridge: ready: \(max(1, setup.routes.count)) route(s), \(urls)")
            } catch let error as ClientError {
                StandardError.write("mqtt-bridge: not all routes work: \(error)")
            } catch {
                return
            }
            try? await gracefulShutdown()
        }
    }
}
