internal import AsyncEventBus
internal import Glibc
package import Logging
internal import MQTTBridge
internal import Mosquitto
internal import SQLiteStore
internal import ServiceLifecycle

/// The daemon: a bridge that prints events, and on request reads them.
package struct Daemon: Sendable {
    /// What it prints and reads.
    package struct Options: Sendable {
        /// How events are printed.
        package var format: EventFormat
        /// Whether it prints what happens to the bridge as well.
        package var printsStatus: Bool
        /// Whether it emits the lines of standard input.
        package var readsInput: Bool
        /// Whether it answers each of those lines on standard output.
        package var answersInput: Bool

        /// The options of one run.
        package init(format: EventFormat, printsStatus: Bool, readsInput: Bool, answersInput: Bool) {
            (self.format, self.printsStatus) = (format, printsStatus)
            (self.readsInput, self.answersInput) = (readsInput, answersInput)
        }
    }

    /// The one durable listener of the daemon.
    package static let listenerName = "standard output"
    /// Of the 5 s that service managers are promised, what the bridge may take.
    private static let longestDrain = Duration.seconds(3)

    private let setup: Setup
    private let options: Options
    private let logger: Logger

    /// A daemon that does not run yet.
    package init(_ setup: Setup, options: Options, logger: Logger) {
        (self.setup, self.options, self.logger) = (setup, options, logger)
    }

    /// Opens the store and runs the bridge until SIGTERM, SIGINT, the end of a reader of standard output, or a failure.
    ///
    /// - Throws: The error that ended the bridge, or kept it from its beginning.
    package func run() async throws {
        let store = try setup.store.map { try SQLiteStore.open($0, logger: logger) }
        defer { store?.close() }
        let output = EventOutput(format: options.format)
        let bus = EventBus(name: "mqtt-bridge", logger: logger)
        let printer = printer(on: bus, output)
        let bridge = try bridge(on: bus, store)
        let watch = EndWatch(SIGTERM, SIGINT)
        let services = DaemonServices(
            bridge: bridge,
            ready: ReadyNotice(setup: setup) { try await bridge.becomeReady() },
            output: OutputWatch(output: output, countdown: watch.countdown),
            input: options.readsInput
                ? StandardInputService(bus: bus, answers: options.answersInput ? output : nil) : nil
        )
        let group = services.group(logger: logger)
        defer {
            let waiting = bus.load(of: printer)?.waiting ?? 0
            if waiting > 0 {
                logger.notice("ended before all was printed", metadata: ["count": "\(waiting)"])
            }
        }
        do {
            try await group.run()
        } catch {
            await output.drain(bus, within: watch.countdown.left(of: .seconds(1)))
            throw error
        }
        await output.drain(bus, within: watch.countdown.left(of: .seconds(1)))
    }

    /// Holds what comes while the reader of standard output is slow. What is more waits in the store where there is one
    /// for it; else it is dropped and counted.
    private func printer(on bus: EventBus, _ output: EventOutput) -> Listener {
        let printer = Listener(Self.listenerName, delivery: .serial, capacity: 65_536, retry: FailingEvent.retry) {
            event in
            try FailingEvent.check(event)
            output.write(event)
        }
        bus.addListener(printer, to: "**")
        if options.printsStatus {
            for pattern: EventPattern in ["$bridge.**", "$bus.**"] { bus.addListener(printer, to: pattern) }
        }
        return printer
    }

    private func bridge(on bus: EventBus, _ store: SQLiteStore?) throws -> Bridge {
        try Bridge(
            bus: bus,
            brokers: setup.brokers.map { broker in
                var broker = broker
                broker.options.timeouts.drain = min(broker.options.timeouts.drain, Self.longestDrain)
                return broker
            },
            routes: setup.routes,
            options: setup.options,
            store: store,
            logger: logger
        )
    }
}
