import ArgumentParser
import AsyncEventBus
import BridgeDaemon
import BufferedIO
import Logging
import MQTTBridge
import Mosquitto

/// `mqtt-bridge emit`: publishes one event through the routes.
struct EmitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "emit",
        abstract: "Publish one event through the routes, and wait until the broker has acknowledged it."
    )

    @Argument(help: "The name of the event, as in light.kitchen.set.")
    var event: String

    /// The payload. It is a list, since only a list accepts a value that looks like an option, such as `-5`.
    @Argument(
        parsing: .allUnrecognized,
        help: ArgumentHelp("The payload, as text.", discussion: "Write -- before a payload that begins with --.")
    )
    var payload: [String]

    @OptionGroup var connection: ConnectionOptions

    @Option(help: "The time to wait for the broker, in seconds.")
    var timeout: Double = 10

    func validate() throws {
        guard timeout > 0, timeout < 1e6 else { throw ValidationError("--timeout is a number of seconds above 0") }
        if let option = payload.prefix(while: { $0 != "--" }).first(where: { $0.hasPrefix("--") }) {
            throw ValidationError("Unknown option '\(option)'. Write -- before a payload that begins like that")
        }
        guard texts.count == 1 else {
            throw ValidationError("Give one payload, not \(texts.count). Quote a payload that holds spaces")
        }
    }

    /// The payloads without the `--` that ends the options.
    private var texts: [String] {
        var texts = payload
        if let terminator = texts.firstIndex(of: "--") { texts.remove(at: terminator) }
        return texts
    }

    func run() async throws {
        try await ExitCode.reporting {
            let logger = Log.bootstrap(.error)
            BufferedIO.enable(logger)
            let name = try EventName(event)
            let setup = try connection.load().asGuest("emit", persistence: .never, direction: .out)
            let bus = EventBus(name: "mqtt-bridge-emit")
            guard !setup.brokers.isEmpty else { throw noRoute(name) }
            let bridge = try Bridge(
                bus: bus,
                brokers: setup.brokers,
                routes: setup.routes,
                options: setup.options,
                logger: logger
            )
            let receipt = bus.tracked.emit(
                name,
                Payload(texts[0]),
                attributes: EventAttributes(isText: true),
                scope: .transports
            )
            guard receipt.summary.relayed > 0 else { throw noRoute(name) }
            try await TimeLimit.run(.seconds(timeout), "broker did not acknowledge \(name)") {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await bridge.run() }
                    group.addTask {
                        do {
                            try await receipt.published()
                        } catch let error as ClientError where error.code == .notRunning {
                            // The connection failed permanently: `run` throws the reason.
                            try await Task.sleep(for: .seconds(60))
                            throw error
                        }
                    }
                    defer { group.cancelAll() }
                    try await group.next()
                }
            }
        }
    }

    private func noRoute(_ name: EventName) -> ValidationError {
        ValidationError(
            "no route publishes \(escapedForLog(name.text)); see mqtt-bridge explain --event \(escapedForLog(name.text))"
        )
    }
}

/// A time limit for asynchronous work.
enum TimeLimit {
    static func run(_ limit: Duration, _ failure: String, _ body: @escaping @Sendable () async throws -> Void)
        async throws
    {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await Task.sleep(for: limit)
                throw ClientError(.timedOut, operation: failure, detail: "within \(limit)")
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }
}
