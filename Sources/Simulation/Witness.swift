internal import MessageStore
internal import Mosquitto

/// Observes the stores, the brokers and the listeners of a history, and checks the delivery guarantees.
// SAFETY: used by the one thread of the simulation.
final class Witness: @unchecked Sendable {
    /// The number of crashes that justify a dead letter: three without start marks, then five at marked calls.
    private static let crashes = 8
    /// The number of refusals that justify a dead letter.
    private static let refusals = 8

    /// The first topic level of the original message, by the first topic level of the derived one.
    private static let origins = ["copy": "in", "in": "copy", "echo": "out"]

    var promise = Promise()
    private(set) var fingerprint = Hasher()
    private let brokers: [SimulatedBroker]
    /// The number of checked entries in each broker's log.
    private var looked: [Int]
    /// The inbound records of each bridge's store, by sequence number.
    private var arrived: [String: [Int64: InboundRecord]] = [:]
    /// The unresolved receipts, and the process of each.
    private var owed: [String: SimulatedProcess] = [:]
    /// The last stored state of each topic.
    private var states: [String: String] = [:]
    /// The last message of each key at each receiver.
    private var latest: [String: [Int: String]] = [:]
    /// The inbound messages that a store holds or held: the first level of the topic and the text.
    private var stored: Set<[String]> = []
    /// The messages that arrived without a listener or route. Redeliveries count as duplicates, even for listeners added later.
    private var unwanted: Set<[String]> = []

    init(_ brokers: [SimulatedBroker]) {
        self.brokers = brokers
        looked = brokers.map { _ in 0 }
        for broker in brokers { broker.whenAcknowledged = { [unowned self] in acknowledged($1, by: $0) } }
    }

    private static func kind(_ topic: String) -> String { String(topic.prefix { $0 != "/" }) }

    /// Returns the name of the receiver that stands for a topic at a broker.
    private static func receiver(_ topic: String, _ broker: String) -> String { "\(kind(topic)) at \(broker)" }

    /// Records a committed batch: each stored message must reach its receivers.
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
            // A derived message in the store stands for its origin.
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

    /// Checks that each acknowledged message is in the store if a listener or a route needs it.
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

    /// Records the delivery of a message to a receiver.
    ///
    /// - Parameter mishaps: The number of faults so far that permit a duplicate; nil if duplicates are always permitted.
    func saw(_ text: String, _ identity: String, at receiver: String, mishaps: Int? = nil) {
        guard let testMessage = Promise.TestMessage(text) else { return promise.breach("\(receiver) got \"\(text)\"") }
        promise.see(testMessage, identity: identity, at: receiver, mishaps: mishaps)
        latest[receiver, default: [:]][testMessage.key] = text
        fingerprint.combine(receiver)
        fingerprint.combine(text)
    }

    /// Records that a call of a listener has failed.
    func refused(_ text: String, by listener: String) {
        if let testMessage = Promise.TestMessage(text) { promise.refuse(testMessage, at: listener) }
    }

    /// Checks that a dead letter is justified by enough failures of its listener, crashes, or refusals of its broker.
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

    /// Expects a receipt of a process to resolve.
    func expects(_ receipt: String, from process: SimulatedProcess) { owed[receipt] = process }

    /// Records that a receipt has resolved.
    func told(_ receipt: String) { owed[receipt] = nil }

    func isOwed(by process: SimulatedProcess?) -> Bool { owed.values.contains { $0 === process } }

    /// Checks that all receipts of a process have resolved, after enough time or an orderly shutdown.
    func checkReceipts(of process: SimulatedProcess) {
        for (receipt, _) in owed.filter({ $0.value === process }).sorted(by: { $0.key < $1.key }) {
            promise.breach("the receipt of \(receipt) tells nothing")
        }
    }

    // MARK: Final checks

    /// Checks that no process published a message again after its acknowledgement.
    func checkRepeats() {
        for repeated in brokers.flatMap(\.repeats) { promise.breach("\(repeated), again, though it was acknowledged") }
    }

    /// Checks that the broker retains the last state of each topic, and that the listener received it last.
    func checkStates(at broker: SimulatedBroker, heardBy listener: String?) {
        // The retry of a refused state may arrive after the next state.
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

    /// Records the bridges' publishes since the last call.
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
