import ArgumentParser
import AsyncEventBus
import Logging
import MQTTBridge
import Mosquitto
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

    @Flag(help: "Read lines of JSON, {\"event\": …, \"payload\": …}, from standard input and emit them.")
    var stdin = false

    @Option(help: "The least severe messages that are logged: trace, debug, info, notice, warning, error, critical.")
    var logLevel: LogLevel = .info

    func run() async throws {
        try await Exit.reporting {
            let logger = Log.bootstrap(logLevel.level)
            let setup = try connection.load()
            let (format, stdin) = (format, stdin)
            try await embedded.around(setup) { setup in
                try await Self.run(setup, format: format, stdin: stdin, logger: logger)
            }
        }
    }

    private static func run(_ setup: Setup, format: EventFormat, stdin: Bool, logger: Logger) async throws {
        let bus = EventBus(name: "mqtt-bridge")
        let output = EventOutput(format: format)
        // Holds what comes while the reader of standard output is slow; what is more is dropped and counted.
        bus.on("**", name: "standard output", delivery: .serial, capacity: 65_536) { output.write($0) }
        let bridge = try Bridge(
            bus: bus,
            brokers: setup.brokers,
            routes: setup.routes,
            options: setup.options,
            logger: logger
        )
        var services: [any Service] = [bridge, ReadyNotice(bridge: bridge, setup: setup)]
        if stdin { services.append(StandardInputService(bus: bus, logger: logger)) }
        let group = ServiceGroup(configuration: groupConfiguration(services, logger: logger))
        output.onClosed { await group.triggerGracefulShutdown() }
        try await group.run()
        await bus.becomeIdle()
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
