import ArgumentParser
import AsyncEventBus
import BridgeDaemon
import BufferedIO
import Logging
import MQTTBridge
import Mosquitto

/// `mqtt-bridge listen`: prints the events that match a pattern.
struct ListenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "listen",
        abstract: "Print or count the events that match a pattern, such as climate.*.temperature or home.**."
    )

    @Argument(help: "The pattern: * matches one segment, a final ** matches the rest.")
    var pattern: String

    @OptionGroup var connection: ConnectionOptions

    @Option(help: "The number of events after which the command ends.")
    var count: Int?

    @Option(help: "The seconds after which the command ends; with --count, too few events by then are a failure (69).")
    var timeout: Double?

    @Option(help: "The format of events: text for people, json for programs.")
    var format: EventFormat = .text

    @Flag(
        help: ArgumentHelp(
            "Count the events instead of printing them, and print their rate at the end; needs --count.",
            discussion: "The rate is measured on the bus, from the first event to the last."
        )
    )
    var quiet = false

    func validate() throws {
        if let count, count < 1 { throw ValidationError("--count is 1 or more") }
        if quiet, count ?? 0 < 2 { throw ValidationError("--quiet needs --count, of 2 or more") }
        if let timeout, !(timeout > 0 && timeout < 1e9) {
            throw ValidationError("--timeout is a number of seconds above 0")
        }
    }

    func run() async throws {
        try await ExitCode.reporting {
            let logger = Log.bootstrap(.error)
            BufferedIO.enable(logger)
            FreedMemory.keep()
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
            if quiet, let count {
                try await measure(pattern, limit: count, bus, bridge, output)
            } else {
                try await bus.withSubscription(to: pattern, capacity: 65_536) { events in
                    try await listen(bridge, output) { await print(events, to: output) }
                }
            }
        }
    }

    /// Counts events, then writes their rate.
    private func measure(
        _ pattern: EventPattern,
        limit: Int,
        _ bus: EventBus,
        _ bridge: Bridge,
        _ output: EventOutput
    ) async throws {
        let counter = EventCounter(limit: limit)
        let listener = bus.on(pattern, name: "counter", .capacity(65_536)) { _ in counter.add() }
        let format = format
        do {
            try await listen(bridge, output) {
                guard let rate = await counter.rate() else { return false }
                output.write(line: rate.line(format))
                return true
            }
        } catch let error as ClientError where error.code == .timedOut {
            let dropped = bus.load(of: listener)?.dropped ?? 0
            StandardError.write("mqtt-bridge: \(counter.seen) events were counted, \(dropped) more came too fast")
            throw error
        }
    }

    /// Prints events. Returns whether the requested number has arrived.
    private func print(_ events: Subscription, to output: EventOutput) async -> Bool {
        var seen = 0
        for await event in events {
            output.write(event)
            seen += 1
            if seen == count { return true }
        }
        return false
    }

    /// Runs the bridge until `body` returns, the time is up or the reader of the output is gone.
    ///
    /// - Parameter body: Returns whether enough events have arrived.
    private func listen(
        _ bridge: Bridge,
        _ output: EventOutput,
        until body: @escaping @Sendable () async -> Bool
    ) async throws {
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
            group.addTask { await body() }
            group.addTask {
                await output.becomeUnread()
                return true
            }
            if let timeout {
                group.addTask {
                    try await Task.sleep(for: .seconds(timeout))
                    return count == nil
                }
            }
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
