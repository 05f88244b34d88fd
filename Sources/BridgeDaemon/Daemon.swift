internal import AsyncEventBus
internal import Glibc
package import Logging
internal import MQTTBridge
internal import Mosquitto
internal import SQLiteStore
internal import ServiceLifecycle

/// A bridge that prints events and, on request, emits the events on standard input.
package struct Daemon: Sendable {
    /// The options for output and input.
    package struct Options: Sendable {
        /// The format of printed events.
        package var format: EventFormat
        /// Whether the events about the bridge and the bus (`$bridge.**`, `$bus.**`) are printed as well.
        package var printsStatus: Bool
        /// Whether the lines of standard input are emitted as events.
        package var readsInput: Bool
        /// Whether each line of standard input is answered on standard output.
        package var answersInput: Bool

        /// Creates options.
        package init(format: EventFormat, printsStatus: Bool, readsInput: Bool, answersInput: Bool) {
            (self.format, self.printsStatus) = (format, printsStatus)
            (self.readsInput, self.answersInput) = (readsInput, answersInput)
        }
    }

    /// The name of the daemon's only durable listener.
    package static let listenerName = "standard output"
    /// The bridge's share of the 5 s within which the daemon promises to end.
    private static let longestDrain = Duration.seconds(3)

    private let setup: Setup
    private let source: SetupSource?
    private let options: Options
    private let logger: Logger

    /// Creates a daemon that does not run yet.
    ///
    /// - Parameter source: Where the setup was read, and is read again at SIGHUP; nil for never.
    package init(_ setup: Setup, source: SetupSource? = nil, options: Options, logger: Logger) {
        (self.setup, self.source, self.options, self.logger) = (setup, source, options, logger)
    }

    /// Opens the store and runs the bridge until SIGTERM, SIGINT, a failure, or the end of the reader of standard output.
    ///
    /// - Throws: The error that ended the bridge or prevented its start.
    package func run() async throws {
        let store = try setup.store.map { try SQLiteStore.open($0, logger: logger) }
        defer { store?.close() }
        let output = EventOutput(format: options.format)
        let bus = EventBus(name: "mqtt-bridge", logger: logger)
        let printer = try printer(on: bus, output)
        let bridge = try bridge(on: bus, store)
        let watch = EndWatch(SIGTERM, SIGINT)
        let services = DaemonServices(
            bridge: bridge,
            ready: ReadyNotice(setup: setup) { try await bridge.becomeReady() },
            output: OutputWatch(output: output, countdown: watch.countdown),
            input: options.readsInput
                ? StandardInputService(bus: bus, answers: options.answersInput ? output : nil) : nil,
            reload: source.map { ReloadService(bridge: bridge, source: $0, adapt: Self.adapted, logger: logger) }
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

    /// Adds the listener that prints events. Its mailbox holds events while the reader of standard output is slow. Beyond
    /// its capacity, events of durable routes wait in the store; other events are dropped and counted.
    private func printer(on bus: EventBus, _ output: EventOutput) throws(EventBusError) -> Listener {
        let printer = Listener(
            durable: Self.listenerName,
            delivery: .serial,
            .capacity(65_536),
            .retry(FailingEvent.retry)
        ) {
            event in
            try FailingEvent.check(event)
            output.write(event)
        }
        try bus.addListener(printer, to: "**")
        if options.printsStatus {
            for pattern: EventPattern in ["$bridge.**", "$bus.**"] { try bus.addListener(printer, to: pattern) }
        }
        return printer
    }

    @Sendable
    private static func adapted(_ broker: Broker) -> Broker {
        var broker = broker
        broker.options.timeouts.drain = min(broker.options.timeouts.drain, longestDrain)
        return broker
    }

    private func bridge(on bus: EventBus, _ store: SQLiteStore?) throws -> Bridge {
        try Bridge(
            bus: bus,
            brokers: setup.brokers.map(Self.adapted),
            routes: setup.routes,
            options: setup.options,
            store: store,
            logger: logger
        )
    }
}
