import Locking
import Logging

/// Logs what goes wrong with the listeners of a bus, also when nobody listens to its reports.
final class FaultLog: Sendable {
    private struct State {
        var tallies = FaultTallies()
        var timer: Task<Void, Never>?
    }

    private let logger: Logger
    private let clock: any Clock<Duration>
    /// The time on that clock.
    private let now: @Sendable () -> ContinuousClock.Instant
    private let state = Locked(State())

    init(logger: Logger, clock: any Clock<Duration>) {
        self.logger = logger
        self.clock = clock
        now = Self.reader(of: clock)
    }

    /// The time on a clock of any kind, as that of one kind.
    private static func reader(of clock: some Clock<Duration>) -> @Sendable () -> ContinuousClock.Instant {
        let (start, base) = (clock.now, ContinuousClock.now)
        return { base + start.duration(to: clock.now) }
    }

    func count(_ kind: FaultTallies.Kind, listener: String, event: EventName, text: String, number: Int = 1) {
        let now = now()
        let telling = state.withLock { state in
            let telling = state.tallies.count(
                FaultTallies.Key(listener: listener, kind: kind),
                number,
                FaultTallies.Example(event: event, text: text),
                at: now
            )
            setTimer(&state)
            return telling
        }
        if let telling { log(telling) }
    }

    private func setTimer(_ state: inout State) {
        guard state.timer == nil, state.tallies.hasUntold else { return }
        // Owned by this log, one at a time: logs what was counted within a second after the latest line, and ends. Cancelled
        // when the bus is let go of, which does not log what it has not logged until then.
        state.timer = Task.detached { [weak self, clock] in
            try? await clock.sleep(for: FaultTallies.interval)
            self?.timeIsUp()
        }
    }

    deinit { state.withLock { $0.timer }?.cancel() }

    private func timeIsUp() {
        let now = now()
        let tellings = state.withLock { state in
            state.timer = nil
            defer { setTimer(&state) }
            return state.tallies.due(at: now)
        }
        for telling in tellings { log(telling) }
    }

    private func log(_ telling: FaultTallies.Telling) {
        var metadata: Logger.Metadata = [
            "listener": "\(Self.harmless(telling.key.listener))",
            "event": "\(Self.harmless(telling.example.event.text))",
            "count": "\(telling.count)",
        ]
        switch telling.key.kind {
        case .failed:
            metadata["reason"] = "\(Self.harmless(telling.example.text))"
            logger.warning("a listener failed", metadata: metadata)
        case .overflowed:
            logger.warning("a listener is too slow: events that waited for it are discarded", metadata: metadata)
        }
    }

    /// Names of events and errors may quote what came in from outside.
    private static func harmless(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars.prefix(200) {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned:
                result += scalar.escaped(asASCII: true)
            default:
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
