import Locking
import Logging

/// Logs the faults of the listeners of a bus, even if no listener receives its reports.
final class FaultLog: Sendable {
    private struct State {
        var tallies = FaultTallies()
        var timer: Task<Void, Never>?
    }

    private let logger: Logger
    private let clock: any Clock<Duration>
    /// Reads ``clock``.
    private let now: @Sendable () -> ContinuousClock.Instant
    private let state = Locked(State())

    init(logger: Logger, clock: any Clock<Duration>) {
        self.logger = logger
        self.clock = clock
        now = Self.reader(of: clock)
    }

    /// Returns a function that reads a clock of any type as instants of one type.
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
        // Owned by this log, one at a time: logs the faults counted within a second after the latest line, and ends.
        // Cancelled when the bus is released; faults that are not logged by then stay unlogged.
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

    /// Escapes and truncates a text: names of events and errors may quote input from outside.
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
