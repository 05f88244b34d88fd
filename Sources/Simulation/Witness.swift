internal import MessageStore
internal import Mosquitto

/// Watches a history: what the stores, the brokers and the listeners get, and whether the promise holds.
// SAFETY: used by the one thread of the simulation.
final class Witness: @unchecked Sendable {
    /// How many crashes make a dead letter: three that nothing was noted of, and five at calls that were noted.
    private static let crashes = 8
    /// How many refusals make a dead letter.
    private static let refusals = 8

    /// Of what the messages on a topic are made, if they are not emitted.
    private static let origins = ["copy": "in", "in": "copy", "echo": "out"]

    var promise = Promise()
    private(set) var fingerprint = Hasher()
    private let brokers: [SimulatedBroker]
    /// Of what each broker has got, how much was looked at.
    private var looked: [Int]
    /// What came into the store of each bridge.
    private var arrived: [String: [Int64: InboundRecord]] = [:]
    /// The receipts that have not told yet what became of their emit.
    private var owed: [String: SimulatedProcess] = [:]
    /// The last state of each topic that came into a store.
    private var states: [String: String] = [:]
    /// The last message of each key that each receiver has got.
    private var latest: [String: [Int: String]] = [:]
    /// What came in and is in a store, or was: the first level of the topic and the text.
    private var stored: Set<[String]> = []
    /// What came in when nobody was there for it. It counts as seen when it comes again, for listeners that come later as well.
    private var unwanted: Set<[String]> = []

    init(_ brokers: [SimulatedBroker]) {
        self.brokers = brokers
        looked = brokers.map { _ in 0 }
        for broker in brokers { broker.whenAcknowledged = { [unowned self] in acknowledged($1, by: $0) } }
    }

    private static func kind(_ topic: String) -> String { String(topic.prefix { $0 != "/" }) }

    /// The receiver of a topic at a broker.
    private static func receiver(_ topic: String, _ broker: String) -> String { "\(kind(topic)) at \(broker)" }

    /// What is in the store is not lost any more.
    func committed(_ batch: StoreBatch, of bridge: String) {
        for sequence in batch.finished {
            for listener in arrived[bridge]?[sequence]?.listeners ?? [] { finished(sequence, listener, bridge) }
        }
        for entry in batch.progress where entry.progress.isFinished { finished(entry.sequence, entry.listener, bridge) }
        for record in batch.arrivals {
            arrived[bridge, default: [:]][record.sequence] = record
            let text = String(decoding: record.payload, as: UTF8.self)
            stored.insert([Self.kind(record.topic), text])
            guard let testMessage = Promise.TestMessage(text) else { continue }
            for name in record.listeners { promise.promise(testMessage, to: name) }
        }
        for record in batch.departures {
            let text = String(decoding: record.payload, as: UTF8.self)
            // A message is stored with what is made of it.
            if let origin = Self.origins[Self.kind(record.topic)] { stored.insert([origin, text]) }
            if Self.kind(record.topic) == "state" { states[record.topic] = text }
            guard let testMessage = Promise.TestMessage(text) else { continue }
            promise.promise(testMessage, to: Self.receiver(record.topic, record.broker))
        }
    }

    private func finished(_ sequence: Int64, _ listener: String, _ bridge: String) {
        guard let record = arrived[bridge]?[sequence] else { return }
        guard let testMessage = Promise.TestMessage(String(decoding: record.payload, as: UTF8.self)) else { return }
        promise.finish(testMessage, at: listener)
    }

    /// What the broker need not keep any more must be in the store, if somebody is to have it.
    private func acknowledged(_ messages: [Message], by client: SimulatedClient) {
        for message in messages where client.process.routes.want(message.topic, from: client.broker.name) {
            let text = String(decoding: message.payload, as: UTF8.self)
            let known = [Self.kind(message.topic), text]
            guard !stored.contains(known), !unwanted.contains(known) else { continue }
            if client.process.keeps(message.topic) {
                promise.breach("\(text) on \(message.topic) is acknowledged, and not in the store")
            } else {
                unwanted.insert(known)
            }
        }
    }

    /// A receiver has got something.
    ///
    /// - Parameter mishaps: See ``Promise``.
    func saw(_ text: String, _ identity: String, at receiver: String, mishaps: Int? = nil) {
        guard let testMessage = Promise.TestMessage(text) else { return promise.breach("\(receiver) got \"\(text)\"") }
        promise.see(testMessage, identity: identity, at: receiver, mishaps: mishaps)
        latest[receiver, default: [:]][testMessage.key] = text
        fingerprint.combine(receiver)
        fingerprint.combine(text)
    }

    /// A listener was called, and has failed.
    func refused(_ text: String, by listener: String) {
        if let testMessage = Promise.TestMessage(text) { promise.refuse(testMessage, at: listener) }
    }

    /// A bridge has given a message up: its listener has failed as often as it may, or the broker has.
    func found(_ letter: DeadLetter, in bridge: SimulatedBridge) {
        guard let testMessage = Promise.TestMessage(String(decoding: letter.payload ?? [], as: UTF8.self)) else {
            return promise.breach("a dead letter without a payload: \(letter.error)")
        }
        let isInbound = letter.direction == .inbound
        let receiver = isInbound ? letter.listener : Self.receiver(letter.topic, letter.broker)
        let hasReason =
            isInbound
            ? promise.refusals(of: testMessage, at: receiver) >= SimulatedBridge.attempts
                || bridge.kills >= Self.crashes
            : brokers.contains { $0.name == letter.broker && $0.refused >= Self.refusals }
        if !hasReason {
            promise.breach("\(testMessage) for \(receiver) is a dead letter, without a reason: \(letter.error)")
        }
        promise.excuse(testMessage, at: receiver)
    }

    // MARK: Receipts

    /// An emit of a process has a receipt.
    func expects(_ receipt: String, from process: SimulatedProcess) { owed[receipt] = process }

    /// A receipt has told what became of its emit.
    func told(_ receipt: String) { owed[receipt] = nil }

    func isOwed(by process: SimulatedProcess?) -> Bool { owed.values.contains { $0 === process } }

    /// A process has had all the time that it needs, or has ended in order.
    func checkReceipts(of process: SimulatedProcess) {
        for (receipt, _) in owed.filter({ $0.value === process }).sorted(by: { $0.key < $1.key }) {
            promise.breach("the receipt of \(receipt) tells nothing")
        }
    }

    // MARK: The end

    /// What a broker has acknowledged must not be published again by the same process.
    func checkRepeats() {
        for repeated in brokers.flatMap(\.repeats) { promise.breach("\(repeated), again, though it was acknowledged") }
    }

    /// The broker must keep the last state, and the listener that hears states must know it.
    func checkStates(at broker: SimulatedBroker, heardBy listener: String?) {
        // A refused state may pass the next one, and come once more after it.
        guard broker.refused == 0 else { return }
        for (topic, state) in states.sorted(by: { $0.key < $1.key }) {
            let kept = broker.kept[topic].map { String(decoding: $0.payload, as: UTF8.self) } ?? "nothing"
            if kept != state { promise.breach("\(broker.name) keeps \(kept) on \(topic), not \(state)") }
            guard let listener, let testMessage = Promise.TestMessage(kept) else { continue }
            let heard = latest[listener]?[testMessage.key] ?? "nothing"
            if heard != kept, !unwanted.contains([Self.kind(topic), kept]),
                promise.refusals(of: testMessage, at: listener) == 0
            {
                promise.breach("\(listener) heard \(heard) last, and \(kept) is kept on \(topic)")
            }
        }
    }

    /// Looks at what the brokers have got from bridges since the last look.
    func look() {
        for (position, broker) in brokers.enumerated() {
            for taken in broker.log[looked[position]...] {
                let text = String(decoding: taken.payload, as: UTF8.self)
                saw(text, taken.identity ?? "none", at: Self.receiver(taken.topic, broker.name))
            }
            looked[position] = broker.log.count
        }
    }
}
