import AsyncEventBus
import MessageStore
import Testing

@testable import MQTTBridge

@Suite("OutboundDelivery queue")
struct OutboundQueueTests {
    private typealias Item = OutboundQueue.Item
    private let start = ContinuousClock.now

    private func queue(
        limit: Int = 10,
        rate: Int? = nil,
        waiting topics: Set<String>? = [],
        isConnected: Bool = true
    ) -> OutboundQueue {
        var queue = OutboundQueue(
            limit: limit,
            rate: rate,
            isBehind: topics != [],
            topics: topics.map { Set($0.map { ExactText($0) }) }
        )
        if isConnected { queue.connected(lastSequence: 1_000) }
        return queue
    }

    @Test("nothing leaves before there is a connection, nor after one was lost")
    func unconnected() {
        var queue = queue(isConnected: false)
        #expect(queue.arrived(.sample(1)) == nil)
        #expect(queue.wantsRead() == false)
        queue.connected(lastSequence: 1)
        #expect(queue.wantsRead() == true)
        queue.disconnected()
        #expect(queue.readBegan(at: start).count == 0)
        #expect(queue.arrived(.sample(2)) == nil)
    }

    @Test("while the broker keeps up, what is committed leaves at once, up to the limit; the rest is read in order")
    func limit() {
        var queue = queue(limit: 2)
        #expect(queue.arrived(.sample(1)) != nil)
        #expect(queue.arrived(.sample(2)) != nil)
        #expect(queue.arrived(.sample(3)) == nil)
        #expect(queue.cursor.isBehind)
        #expect(queue.cursor.sequence == 2)
        #expect(queue.wantsRead() == false)
        _ = queue.ended(.sample(1))
        #expect(queue.wantsRead() == true)
        #expect(queue.wantsRead() == false)
        #expect(queue.readBegan(at: start).count == 1)
        #expect(queue.read(.sample(3)) != nil)
        queue.caughtUp()
        #expect(!queue.cursor.isBehind)
        #expect(queue.arrived(.sample(4)) == nil)
    }

    @Test("a single message may be larger than the limit in bytes; no other leaves beside it")
    func bytes() {
        var queue = queue()
        #expect(queue.arrived(.sample(1, payload: OutboundQueue.byteLimit + 1)) != nil)
        #expect(queue.arrived(.sample(2)) == nil)
        _ = queue.ended(.sample(1, payload: OutboundQueue.byteLimit + 1))
        #expect(queue.wantsRead() == true)
    }

    @Test("a new message passes those that wait on other topics, never one of its own, and is sent once")
    func passing() {
        var queue = queue(waiting: ["old"])
        #expect(queue.arrived(.sample(11, topic: "old")) == nil)
        #expect(queue.arrived(.sample(12, topic: "new")) != nil)
        #expect(queue.read(.sample(10, topic: "old")) != nil)
        #expect(queue.read(.sample(11, topic: "old")) != nil)
        #expect(queue.read(.sample(12, topic: "new")) == nil)
        #expect(queue.cursor.sequence == 12)
    }

    @Test("topics that differ in their bytes are different, also where they look the same")
    func exactTopics() {
        var queue = queue(waiting: ["\u{e9}"])
        #expect(queue.arrived(.sample(2, topic: "e\u{301}")) != nil)
        #expect(queue.arrived(.sample(3, topic: "\u{e9}")) == nil)
    }

    @Test("when more topics wait than are known, every message waits")
    func manyTopics() {
        var unknown = queue(waiting: nil)
        #expect(unknown.arrived(.sample(2, topic: "new")) == nil)
        unknown.caughtUp()
        #expect(unknown.arrived(.sample(3, topic: "new")) != nil)

        var queue = queue(limit: 1, isConnected: false)
        for number in 0...OutboundQueue.topicLimit {
            _ = queue.arrived(.sample(Int64(number + 1), topic: "\(number)"))
        }
        queue.connected(lastSequence: 0)
        #expect(queue.arrived(.sample(100_000, topic: "new")) == nil)
    }

    @Test(
        "what waited for the connection goes at the rate, in shares of a twentieth of it; what came later does not"
    )
    func rate() {
        var queue = queue(limit: 1_000, rate: 100, waiting: ["t"])
        queue.connected(lastSequence: 7)
        #expect(queue.cursor.capacity == 100)
        #expect(queue.wantsRead() == true)
        let first = queue.readBegan(at: start)
        #expect(first.count == 5)
        let span = Duration.nanoseconds(50_000_000 * 20 / 19)
        #expect(first.later == span)
        for sequence in Int64(1)...5 { #expect(queue.read(.sample(sequence)) != nil) }
        // Neither an acknowledgement nor an impatient caller gets more out of it.
        for sequence in Int64(1)...5 { _ = queue.ended(.sample(sequence)) }
        #expect(queue.wantsRead() == false)
        let early = queue.readBegan(at: start + .milliseconds(20))
        #expect(early.count == 0)
        #expect(early.later == span - .milliseconds(20))
        #expect(queue.wantsRead() == false)
        #expect(queue.readBegan(at: start + span).count == 5)
        for sequence in Int64(6)...7 { #expect(queue.read(.sample(sequence)) != nil) }
        let live = queue.readBegan(at: start + span + .milliseconds(1))
        #expect(live.count == 98)
        #expect(live.later == nil)
    }

    @Test("a message that is refused holds up its topic and no other")
    func blocked() {
        var ended: (Bool, Bool)
        var queue = queue()
        let first = queue.arrived(.sample(1))
        #expect(first != nil)
        queue.refused(.sample(1), retryAt: start + .seconds(1))
        #expect(queue.arrived(.sample(2)) == nil)
        #expect(queue.arrived(.sample(3)) == nil)
        #expect(!queue.cursor.isBehind)
        #expect(queue.arrived(.sample(4, topic: "other")) != nil)
        #expect(queue.due(at: start).isEmpty)
        #expect(queue.nextRetry == start + .seconds(1))
        #expect(queue.due(at: start + .seconds(1)).map(\.record.sequence) == [1])
        #expect(queue.nextRetry == nil)
        ended = queue.ended(.sample(4, topic: "other"))
        #expect(ended == (false, false))
        ended = queue.ended(.sample(1))
        #expect(ended == (false, true))
        // Nothing newer of the topic comes between.
        #expect(queue.arrived(.sample(5)) == nil)
        #expect(queue.due(at: start).map(\.record.sequence) == [2, 3, 5])
        #expect(queue.arrived(.sample(6)) != nil)
    }

    @Test("a message that waits behind a refused one of its topic is under way, also while the store is read")
    func heldWhileBehind() {
        var queue = queue(waiting: ["old"])
        #expect(queue.arrived(.sample(11)) != nil)
        queue.refused(.sample(11), retryAt: start + .seconds(1))
        #expect(queue.arrived(.sample(12)) == nil)
        #expect(queue.isInFlight(12))
        #expect(queue.arrived(.sample(13, topic: "old")) == nil)
        #expect(!queue.isInFlight(13))
    }

    @Test("of messages that are refused together the first goes first")
    func blockedTogether() {
        var ended: (Bool, Bool)
        var queue = queue()
        for sequence in Int64(1)...3 { #expect(queue.arrived(.sample(sequence)) != nil) }
        queue.refused(.sample(2), retryAt: start)
        queue.refused(.sample(1), retryAt: start + .seconds(1))
        ended = queue.ended(.sample(3))
        #expect(ended == (false, false))
        #expect(queue.due(at: start).isEmpty)
        #expect(queue.due(at: start + .seconds(1)).map(\.record.sequence) == [1])
        queue.refused(.sample(1), retryAt: start + .seconds(2))
        #expect(queue.due(at: start + .seconds(2)).map(\.record.sequence) == [1])
        ended = queue.ended(.sample(1))
        #expect(ended == (false, true))
        #expect(queue.due(at: start).map(\.record.sequence) == [2])
    }

    @Test("nothing is due, and nobody is asked to look, while there is no connection")
    func blockedWithoutConnection() {
        var queue = queue()
        _ = queue.arrived(.sample(1))
        queue.refused(.sample(1), retryAt: start)
        queue.disconnected()
        #expect(queue.nextRetry == nil)
        #expect(queue.due(at: start + .seconds(1)).isEmpty)
        queue.connected(lastSequence: 1)
        #expect(queue.due(at: start).count == 1)
    }

    @Test("a message that left the store while it was under way is not counted out twice")
    func evicted() {
        var ended: (Bool, Bool)
        var queue = queue()
        _ = queue.arrived(.sample(1))
        _ = queue.arrived(.sample(2))
        queue.evicted([1, 99])
        ended = queue.ended(.sample(1))
        #expect(ended == (true, false))
        ended = queue.ended(.sample(2))
        #expect(ended == (false, false))
        #expect(queue.skipped(3) == true)
        #expect(queue.cursor.sequence == 3)
    }

    @Test("one that passed the others and expires on its way is not dropped by the reader")
    func expiredUnderWay() {
        var queue = queue(waiting: ["old"])
        #expect(queue.arrived(.sample(5, topic: "new")) != nil)
        #expect(queue.skipped(5) == false)
    }
}
