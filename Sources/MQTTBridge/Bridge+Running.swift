import Locking
import ServiceLifecycle

extension Bridge {
    /// Connects, and forwards messages until the task is cancelled or a graceful shutdown begins.
    ///
    /// The shutdown has this order: reading stops; running calls of listeners finish and are recorded, and no call
    /// begins for a stored message; their emits and the queued messages are published, or stored on durable routes;
    /// DISCONNECT; the store is closed. The whole takes at most the longest ``/Mosquitto/ClientOptions/Timeouts/drain`` of
    /// the brokers, plus 0.5 s for publishing. One log line and `$bridge.stopped` report the remainder: calls that
    /// still run, which run again in the next process; stored messages; and unpublished emits of routes in memory,
    /// which are lost.
    ///
    /// - Throws: `ClientError` if connecting to one of the brokers is pointless: another client uses our identifier, a
    ///   certificate cannot be read at the start, or the broker does not support the protocol version. `StoreError`
    ///   with code `damaged` if the store is damaged beyond single messages, which become dead letters. The shutdown
    ///   takes place before the error is thrown. ``BridgeHasRun`` at a second call: make another bridge.
    public func run() async throws {
        let hasRun = state.withLock { state in
            defer { state.hasRun = true }
            return state.hasRun
        }
        guard !hasRun else { throw BridgeHasRun() }
        writer?.begin()
        let timers = startTimers()
        defer { for timer in timers { timer.cancel() } }
        // Owned by this call, which awaits it. A task of its own, so that the connections are cancelled only after the
        // listeners have finished.
        let connections = Task { try await runConnections() }
        let result = await withTaskCancellationOrGracefulShutdownHandler {
            await connections.result
        } onCancelOrGracefulShutdown: { [self] in
            // Owned by this call, which awaits the connections that it cancels; two at most, as both handlers may run.
            Task {
                await windDown()
                connections.cancel()
            }
        }
        // For the case that a client has ended by itself.
        await windDown()
        // In this order: calls are recorded as finished until the store writer is closed, so until then the router must
        // accept or refuse their emits.
        let left = writer?.close() ?? StoreWriter.Remainder()
        router.detach()
        context.reporter.reportDue(isLast: true)
        end.report(left)
        entry.end()
        switch result {
        case .success: context.readiness.ended(CancellationError())
        case .failure(let error): context.readiness.ended(error)
        }
        try result.get()
    }

    /// The result of one of the bridge's tasks.
    private enum Step {
        case added(BrokerConnection)
        case left
        case idle
    }

    /// Returns when all connections have ended. The first error ends the other tasks.
    private func runConnections() async throws {
        let (additions, continuation) = AsyncStream<BrokerConnection>.makeStream()
        var running = 0
        try await withThrowingTaskGroup(of: Step.self) { [writer] group in
            func start(_ connection: BrokerConnection) {
                running += 1
                group.addTask {
                    try await connection.run()
                    return .left
                }
            }
            func awaitAddition() {
                group.addTask {
                    for await connection in additions { return .added(connection) }
                    return .idle
                }
            }
            let brokers = state.withLock { state in
                state.additions = continuation
                return state.brokers
            }
            defer { state.withLock { $0.additions = nil } }
            for connection in brokers { start(connection) }
            awaitAddition()
            if let writer {
                group.addTask {
                    try await writer.untilUnusable()
                    return .idle
                }
            }
            while running > 0, let step = try await group.next() {
                switch step {
                case .added(let connection):
                    start(connection)
                    awaitAddition()
                case .left: running -= 1
                case .idle: break
                }
            }
            group.cancelAll()
        }
    }

    private func startTimers() -> [RepeatingTimer] {
        let watch = ListenerWatch(context.bus, context.reporter, context.logger)
        let maintenance = writer.map { StoreMaintenance($0) }
        // The first timer must not wait for the store, the second one may.
        return [
            RepeatingTimer(context.timing.makeQueue("mqtt-bridge.watch")) {
                maintenance?.reportStalledCommit()
                watch.look(at: .now)
            },
            RepeatingTimer(context.timing.makeQueue("mqtt-bridge.maintenance")) { maintenance?.run() },
        ]
    }

    /// Whether the shutdown has begun.
    var isEnding: Bool { context.end.hasBegun }

    private func windDown() async {
        await end.windDown(brokers)
    }
}

/// The error of a second call of ``Bridge/run()``.
public struct BridgeHasRun: Error, Sendable, Hashable, CustomStringConvertible {
    /// What to do.
    public var description: String { "run() was called before: a bridge runs once, so make another one" }
}
