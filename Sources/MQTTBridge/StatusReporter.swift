import AsyncEventBus
import Locking
import MessageStore

/// Tells what happens to the bridge as events whose names begin with `$bridge.`, to this process only.
///
/// Each has a payload of JSON. Those about single messages come at most once a second for each kind and broker, with the
/// number that they stand for.
final class StatusReporter: Sendable {
    /// Kinds that are counted and told in sums.
    enum Counted: String, Sendable {
        case deadletter
        case dropped
        case loop
        case refused
        case stored
    }

    private struct Key: Hashable {
        let kind: Counted
        let broker: String
    }

    private struct Tally {
        var untold = 0
        var total = 0
        var lastTold: ContinuousClock.Instant?
    }

    private static let interval: Duration = .seconds(1)

    private let bus: EventBus
    private let tallies = Locked<[Key: Tally]>([:])

    init(bus: EventBus) {
        self.bus = bus
    }

    /// Tells something that happens to a connection.
    func tell(_ name: EventName, broker: String, _ members: [(String, String)] = []) {
        emit(name, [("broker", JSONText.string(broker))] + members)
    }

    private func emit(_ name: EventName, _ members: [(String, String)]) {
        bus.emit(
            name,
            Payload(JSONText.object(members)),
            attributes: EventAttributes(contentType: "application/json"),
            scope: .local
        )
    }

    /// Counts something that happened to a message, and tells it unless the last time is less than a second ago.
    func count(
        _ kind: Counted,
        broker: String,
        topic: String,
        reason: String,
        number: Int = 1,
        more: [(String, String)] = [],
        at now: ContinuousClock.Instant = .now
    ) {
        let told = tallies.withLock { tallies -> Tally? in
            var tally = tallies[Key(kind: kind, broker: broker)] ?? Tally()
            tally.untold += number
            tally.total += number
            defer { tallies[Key(kind: kind, broker: broker)] = tally }
            if let last = tally.lastTold, last + Self.interval > now { return nil }
            let told = tally
            tally.untold = 0
            tally.lastTold = now
            return told
        }
        guard let told else { return }
        tell(
            EventName(stringLiteral: "$bridge.\(kind.rawValue)"),
            broker: broker,
            [
                ("topic", JSONText.string(topic)), ("reason", JSONText.string(reason)),
                ("count", String(told.untold)), ("total", String(told.total)),
            ] + more
        )
    }

    /// Tells something that happens to the store.
    func tellStore(_ name: EventName, _ members: [(String, String)] = []) {
        emit(name, members)
    }

    /// A message of the store was removed without being done with.
    func dropped(_ record: InboundRecord, _ reason: String) {
        count(.dropped, broker: record.broker, topic: record.topic, reason: reason)
    }

    func dropped(_ record: OutboundRecord, _ reason: String) {
        count(.dropped, broker: record.broker, topic: record.topic, reason: reason)
    }

    /// A message was given up.
    func deadLetter(_ record: InboundRecord, listener: String, error: String, attempts: Int) {
        let more = [
            ("event", JSONText.string(record.event)), ("listener", JSONText.string(listener)),
            ("attempts", String(attempts)),
        ]
        count(.deadletter, broker: record.broker, topic: record.topic, reason: error, more: more)
    }

    func deadLetter(_ record: OutboundRecord, error: String, attempts: Int) {
        let more = [("event", JSONText.string(record.event)), ("attempts", String(attempts))]
        count(.deadletter, broker: record.broker, topic: record.topic, reason: error, more: more)
    }

    /// How often something happened.
    func total(_ kind: Counted, broker: String) -> Int {
        tallies.withLock { $0[Key(kind: kind, broker: broker)]?.total ?? 0 }
    }
}
