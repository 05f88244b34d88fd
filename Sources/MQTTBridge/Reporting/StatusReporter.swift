import AsyncEventBus
import Locking
import Logging
import MessageStore
import Mosquitto

/// Reports the status of the bridge as events whose names begin with `$bridge.`, to this process only, and logs the
/// fate of messages.
///
/// Each event has a JSON payload. Events about messages are reported at most once a second for each kind and broker,
/// with the number of messages; so are the log lines. The unreported rest of a burst is reported when the second is
/// over.
final class StatusReporter: Sendable {
    /// Calls a function after a delay.
    typealias Alarm = @Sendable (Duration, @escaping @Sendable () -> Void) -> Void

    private struct State {
        var tallies = StatusTallies()
        var isAlarmSet = false

        /// The delay until the next report is due; nil if there is none, or if an alarm is set already.
        mutating func setAlarm(at now: ContinuousClock.Instant) -> Duration? {
            guard !isAlarmSet, let next = tallies.nextDue else { return nil }
            isAlarmSet = true
            return now.duration(to: next)
        }
    }

    private let bus: EventBus
    private let logger: Logger
    private let alarm: Alarm
    private let now: @Sendable () -> ContinuousClock.Instant
    private let state = Locked(State())

    /// - Parameters:
    ///   - now: The clock that the intervals between reports go by.
    ///   - alarm: Schedules overdue reports; at most one call is pending, and only while something is unreported.
    init(
        bus: EventBus,
        logger: Logger,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        alarm: @escaping Alarm
    ) {
        self.bus = bus
        self.logger = logger
        self.alarm = alarm
        self.now = now
    }

    /// Reports a status event of a connection.
    func report(_ name: EventName, broker: String, _ members: [(String, String)] = []) {
        emit(name, [("broker", JSONText.string(broker))] + members)
    }

    private func emit(_ name: EventName, _ members: [(String, String)]) {
        let status = BridgeEvent(kind: .init(rawValue: name.segments.last ?? ""), members: members)
        let event = bus.makeEvent(
            bus.makeNumber(),
            name,
            Payload(JSONText.object(members)),
            time: .now,
            origin: EventOrigin(bus: bus.source, transport: StatusDetails(status)),
            attributes: EventAttributes(contentType: "application/json")
        )
        bus.emit(event, scope: .local)
    }

    /// Counts messages. Reports at once if the last report of the kind and broker is a second old, otherwise when the
    /// second is over.
    ///
    /// - Parameters:
    ///   - topic: Reported as an example, like `reason` and `more`; the latest one wins.
    ///   - level: The log level; nil for the default of the kind. Lower if nothing was lost.
    func count(
        _ kind: CountedStatus,
        broker: String,
        topic: String,
        reason: String,
        number: Int = 1,
        more: [(String, String)] = [],
        level: Logger.Level? = nil,
        at time: ContinuousClock.Instant? = nil
    ) {
        let now = time ?? now()
        let (report, pause) = state.withLock { state in
            let report = state.tallies.count(
                StatusTallies.Key(kind: kind, broker: broker),
                number,
                StatusTallies.Example(topic: topic, reason: reason, more: more),
                level: level ?? kind.level,
                at: now
            )
            return (report, report == nil ? state.setAlarm(at: now) : nil)
        }
        if let report { emit(report) }
        if let pause { setAlarm(after: pause) }
    }

    private func setAlarm(after pause: Duration) {
        alarm(pause) { [weak self] in self?.reportDue() }
    }

    /// Reports what is unreported and due.
    ///
    /// - Parameter isLast: Whether to report everything, due or not, since no later call follows.
    func reportDue(at time: ContinuousClock.Instant? = nil, isLast: Bool = false) {
        let now = time ?? now()
        let (reports, pause) = state.withLock { state in
            if !isLast { state.isAlarmSet = false }
            return (state.tallies.due(at: now, isLast: isLast), state.setAlarm(at: now))
        }
        for report in reports { emit(report) }
        if let pause { setAlarm(after: pause) }
    }

    private func emit(_ report: StatusTallies.Report) {
        let (kind, broker, example) = (report.key.kind, report.key.broker, report.example)
        logger.log(
            level: report.level,
            kind.logMessage,
            metadata: [
                LogKey.broker: "\(broker)", LogKey.topic: "\(escapedForLog(example.topic))",
                LogKey.reason: "\(escapedForLog(example.reason))", LogKey.count: "\(report.count)",
                LogKey.total: "\(report.total)",
            ]
        )
        self.report(
            EventName(stringLiteral: "$bridge.\(kind.rawValue)"),
            broker: broker,
            [
                ("topic", JSONText.string(example.topic)), ("reason", JSONText.string(example.reason)),
                ("count", String(report.count)), ("total", String(report.total)),
            ] + example.more
        )
    }

    /// Reports a status event of the whole bridge.
    func report(_ name: EventName, _ members: [(String, String)] = []) {
        emit(name, members)
    }

    /// A stored message was removed although it was unfinished.
    func dropped(_ record: InboundRecord, _ reason: String) {
        count(.dropped, broker: record.broker, topic: record.topic, reason: reason)
    }

    func dropped(_ record: OutboundRecord, _ reason: String) {
        count(.dropped, broker: record.broker, topic: record.topic, reason: reason)
    }

    /// A message has become a dead letter.
    func deadLetter(_ record: InboundRecord, listener: String, error: String, attempts: Int) {
        let more = [
            ("event", JSONText.string(record.event)), ("listener", JSONText.string(listener)),
            ("attempts", String(attempts)),
        ]
        count(.deadletter, broker: record.broker, topic: record.topic, reason: error, more: more)
    }

    func deadLetter(_ letter: DeadLetter) {
        let more = [("event", JSONText.string(letter.event)), ("attempts", String(letter.attempts))]
        count(.deadletter, broker: letter.broker, topic: letter.topic, reason: letter.error, more: more)
    }

    func deadLetter(_ record: OutboundRecord, error: String, attempts: Int) {
        let more = [("event", JSONText.string(record.event)), ("attempts", String(attempts))]
        count(.deadletter, broker: record.broker, topic: record.topic, reason: error, more: more)
    }

    /// The number of messages of a kind since the start.
    func total(_ kind: CountedStatus, broker: String) -> Int {
        state.withLock { $0.tallies.total(StatusTallies.Key(kind: kind, broker: broker)) }
    }
}
