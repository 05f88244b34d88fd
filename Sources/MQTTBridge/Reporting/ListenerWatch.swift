import AsyncEventBus
import Locking
import Logging
import Mosquitto

/// Reports stalled listeners of the bus.
final class ListenerWatch: Sendable {
    private let bus: EventBus
    private let reporter: StatusReporter
    private let logger: Logger
    private let stalls = Locked(ListenerStalls())

    init(_ bus: EventBus, _ reporter: StatusReporter, _ logger: Logger) {
        self.bus = bus
        self.reporter = reporter
        self.logger = logger
    }

    /// To be called about once a second, one call at a time, on a thread that never waits for a listener.
    func look(at now: ContinuousClock.Instant) {
        // A copy, since the samples may hold the last references to events, which must not be released under the lock.
        var stalls = stalls.withLock { $0 }
        let reports = stalls.look(bus.lookAtListeners(), at: now)
        self.stalls.withLock { swap(&$0, &stalls) }
        for report in reports { emit(report) }
    }

    private func emit(_ report: ListenerStalls.Report) {
        switch report {
        case .stalled(let listener, let age, let waiting):
            logger.warning(
                "a listener does not return",
                metadata: Self.metadata(listener, age).merging([LogKey.count: "\(waiting)"]) { $1 }
            )
            let members = Self.members(listener, age) + [("waiting", String(waiting))]
            reporter.report("$bridge.stalled", members)
        case .recovered(let listener, let age):
            logger.notice("the listener has returned", metadata: Self.metadata(listener, age))
            reporter.report("$bridge.recovered", Self.members(listener, age))
        }
    }

    private static func metadata(_ listener: String, _ age: Duration) -> Logger.Metadata {
        [LogKey.hop: "listener", LogKey.listener: "\(escapedForLog(listener))", LogKey.age: "\(age)"]
    }

    private static func members(_ listener: String, _ age: Duration) -> [(String, String)] {
        [
            ("hop", JSONText.string("listener")), ("listener", JSONText.string(listener)),
            ("age", String(age.components.seconds)),
        ]
    }
}
