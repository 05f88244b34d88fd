import ArgumentParser
import AsyncEventBus
import Logging
import MQTTBridge
import Mosquitto

/// `mqtt-bridge listen`: prints the events that match a pattern.
struct ListenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "listen",
        abstract: "Prints the events that match a pattern, as in climate.*.temperature or home.**."
    )

    @Argument(help: "The pattern: * stands for one segment, a last ** for the rest.")
    var pattern: String

    @OptionGroup var connection: ConnectionOptions

    @Option(help: "End after so many events.")
    var count: Int?

    @Option(help: "End after so many seconds; with --count, too few events by then are a failure (69).")
    var timeout: Double?

    @Option(help: "How events are printed: text for people, json for programs.")
    var format: EventFormat = .text

    func validate() throws {
        if let count, count < 1 { throw ValidationError("--count is 1 or more") }
        if let timeout, !(timeout > 0 && timeout < 1e9) {
            throw ValidationError("--timeout is a number of seconds above 0")
        }
    }

    func run() async throws {
        try await Exit.reporting {
            let logger = Log.bootstrap(.error)
            let pattern = try EventPattern(pattern)
            let setup = try connection.load().asGuest("listen", persistence: .onceConnected, direction: .in)
            guard !setup.brokers.isEmpty else { throw ValidationError("no route brings anything in") }
            let bus = EventBus(name: "mqtt-bridge-listen")
            let bridge = try Bridge(
                bus: bus,
                brokers: setup.brokers,
                routes: setup.routes,
                options: setup.options,
                logger: logger
            )
            let output = EventOutput(format: format)
            try await bus.withSubscription(to: pattern, capacity: 65_536) { events in
                try await listen(events, bridge, output)
            }
        }
    }

    private func listen(_ events: Subscription, _ bridge: Bridge, _ output: EventOutput) async throws {
        let (count, timeout) = (count, timeout)
        let isComplete = try await withThrowingTaskGroup(of: Bool?.self) { group in
            group.addTask {
                try await bridge.run()
                return true
            }
            group.addTask {
                try await bridge.becomeReady()
                StandardError.write("mqtt-bridge: ready")
                return nil
            }
            group.addTask {
                var seen = 0
                for await event in events {
                    output.write(event)
                    seen += 1
                    if seen == count { return true }
                }
                return false
            }
            if let timeout {
                group.addTask {
                    try await Task.sleep(for: .seconds(timeout))
                    return count == nil
                }
            }
            output.onClosed { withUnsafeCurrentTask { $0?.cancel() } }
            defer { group.cancelAll() }
            while let outcome = try await group.next() {
                if let outcome { return outcome }
            }
            return true
        }
        guard isComplete else {
            throw ClientError(.timedOut, operation: "listen to \(pattern)", detail: "too few events in time")
        }
    }
}
