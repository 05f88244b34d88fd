import AsyncEventBus
import MessageStore
import TestSupport
import Testing

@testable import MQTTBridge

@Suite("OutboundDelivery queue: random traffic")
struct OutboundQueueModelTests {
    /// A store and a broker around a queue.
    private struct Model {
        var random: SplitMix64
        var queue: OutboundQueue
        var now = ContinuousClock.now
        var last: Int64 = 0
        /// What is in the store.
        var stored: [Int64: String] = [:]
        /// What the client has, in order.
        var client: [OutboundQueue.Item] = []
        /// First copies that the client was given, by topic.
        var sent: [String: [Int64]] = [:]
        var copies: [Int64: Int] = [:]
        var refusals: [Int64: Int] = [:]
        var evicted: Set<Int64> = []

        init(_ seed: Seed) {
            random = seed.random
            let hasRate = random.chance(1, in: 2)
            queue = OutboundQueue(
                limit: 1 + random.below(8),
                rate: hasRate ? 20 + random.below(2_000) : nil,
                isBehind: false,
                topics: []
            )
        }

        mutating func publish(_ item: OutboundQueue.Item) {
            let sequence = item.record.sequence
            copies[sequence, default: 0] += 1
            if copies[sequence] == 1 { sent[item.record.topic, default: []].append(sequence) }
            client.append(item)
            #expect(client.count <= queue.cursor.capacity)
        }

        mutating func arrive() {
            last += 1
            let topic = "t\(random.below(4))"
            stored[last] = topic
            if let item = queue.arrived(.sample(last, topic: topic)) { publish(item) }
        }

        /// As ``OutboundDelivery/readOn(upTo:)``.
        mutating func read() {
            for item in queue.due(at: now) { publish(item) }
            let share = queue.readBegan(at: now)
            guard share.count > 0 else { return }
            let page = stored.keys.filter { $0 > queue.cursor.sequence }.sorted().prefix(share.count)
            for sequence in page {
                if let item = queue.read(.sample(sequence, topic: stored[sequence] ?? "")) { publish(item) }
            }
            if page.isEmpty { queue.caughtUp() }
        }

        /// The broker answers to one of those that it has.
        mutating func answer(refusing: Bool) {
            guard queue.isConnected, !client.isEmpty else { return }
            let item = client.remove(at: 0)
            let sequence = item.record.sequence
            if refusing {
                refusals[sequence, default: 0] += 1
                queue.refused(item, retryAt: now + .milliseconds(random.below(200)))
                return
            }
            let (wasEvicted, _) = queue.ended(item)
            #expect(wasEvicted == evicted.contains(sequence))
            guard !wasEvicted else { return }
            #expect(stored.removeValue(forKey: sequence) != nil)
            queue.removed([sequence])
        }

        mutating func evict() {
            guard let oldest = stored.keys.min() else { return }
            stored[oldest] = nil
            evicted.insert(oldest)
            queue.evicted([oldest])
        }

        mutating func step() {
            switch random.below(12) {
            case 0..<5: arrive()
            case 5..<8: answer(refusing: random.chance(1, in: 8))
            case 8..<10: read()
            case 10: now += .milliseconds(random.below(100))
            default:
                if random.chance(1, in: 6) { evict() }
                if random.chance(1, in: 3) { queue.disconnected() } else { queue.connected(lastSequence: last) }
            }
        }
    }

    @Test("every message is published once, or again after a refusal; of a topic in order", arguments: Seed.fresh(200))
    func traffic(seed: Seed) {
        var model = Model(seed)
        for _ in 0..<400 { model.step() }
        if !model.queue.isConnected { model.queue.connected(lastSequence: model.last) }
        var rounds = 0
        while !model.stored.isEmpty || !model.client.isEmpty, rounds < 20_000 {
            rounds += 1
            model.now += .milliseconds(10)
            model.read()
            model.answer(refusing: false)
        }
        #expect(model.stored.isEmpty && model.client.isEmpty)
        for sequence in 1...max(1, model.last) where model.last > 0 && !model.evicted.contains(sequence) {
            #expect(model.copies[sequence, default: 0] == 1 + model.refusals[sequence, default: 0])
        }
        for (topic, sequences) in model.sent { #expect(sequences == sequences.sorted(), "\(topic)") }
    }
}
