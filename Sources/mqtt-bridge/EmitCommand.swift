import ArgumentParser
import AsyncEventBus
import BufferedIO
import Logging
import MQTTBridge
import Mosquitto

/// `mqtt-bridge emit`: publishes one event through the routes.
struct EmitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "emit",
        abstract: "Publishes one event through the routes and waits until the broker has acknowledged it."
    )

    @Argument(help: "The name of the event, as in light.kitchen.set.")
    var event: String

    @Argument(help: "The payload, as text.")
    var payload: String

    @OptionGroup var connection: ConnectionOptions

    @Option(help: "How many seconds to wait for the broker.")
    var timeout: Double = 10

    func validate() throws {
        guard timeout > 0, timeout < 1e6 else { throw ValidationError("--timeout is a number of seconds above 0") }
    }

    func run() async throws {
        try await Exit.reporting {
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
            let receipt = bus.emitTracked(name, Payload(payload), scope: .broker)
            guard receipt.summary.relayed > 0 else { throw noRoute(name) }
            try await TimeLimit.run(.seconds(timeout), "broker did not acknowledge \(name)") {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await bridge.run() }
                    group.addTask {
                        do {
                            try await receipt.published()
                        } catch let error as ClientError where error.code == .notRunning {
                            // The connection failed for good: `run` throws why.
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

/// A limit on how long something may take.
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
