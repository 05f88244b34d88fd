import TestSupport
import Testing

@testable import MQTTBridge

@Suite("Listener queue")
struct ListenerQueueTests {
    @Test("a listener that keeps up gets each message at once")
    func keepsUp() {
        var queue = ListenerQueue(capacity: 2, isBehind: false)
        for sequence in Int64(1)...10 {
            #expect(queue.arrived(sequence, size: 1) == true)
            queue.ended(size: 1)
        }
        #expect(queue.wantsRead() == false)
    }

    @Test("one that falls behind gets the rest from the store, from where it stopped, when half is finished")
    func fallsBehind() {
        var queue = ListenerQueue(capacity: 4, isBehind: false)
        for sequence in Int64(1)...4 { #expect(queue.arrived(sequence, size: 1) == true) }
        #expect(queue.arrived(5, size: 1) == false)
        #expect(queue.cursor.sequence == 4)
        #expect(queue.arrived(6, size: 1) == false)
        #expect(queue.cursor.sequence == 4)
        queue.ended(size: 1)
        #expect(queue.wantsRead() == false)
        queue.ended(size: 1)
        #expect(queue.wantsRead() == true)
        #expect(queue.wantsRead() == false)
        #expect(queue.cursor.room == 2)
        queue.readBegan()
        queue.read(through: 5)
        queue.delivered(size: 1)
        #expect(queue.cursor.sequence == 5)
        queue.read(through: 6)
        queue.caughtUp()
        #expect(queue.arrived(7, size: 1) == true)
    }

    @Test("few large messages fill it as well; a single one fits whatever its size")
    func bytes() {
        var queue = ListenerQueue(capacity: 100, isBehind: false)
        #expect(queue.arrived(1, size: ListenerQueue.byteLimit * 2) == true)
        #expect(!queue.cursor.hasRoom)
        #expect(queue.arrived(2, size: 1) == false)
        #expect(queue.wantsRead() == false)
        queue.ended(size: ListenerQueue.byteLimit * 2)
        #expect(queue.wantsRead() == true)
        #expect(queue.cursor.room == 100)
    }

    @Test("each message is handed over once and in order, and never more than fit", arguments: Seed.fresh(100))
    func traffic(seed: Seed) {
        var random = seed.random
        let capacity = 1 + random.below(10)
        var queue = ListenerQueue(capacity: capacity, isBehind: random.chance(1, in: 2))
        var last: Int64 = 0
        var (handed, finished): ([Int64], Int) = ([], 0)
        var isWanted = queue.wantsRead()
        func read() {
            isWanted = false
            queue.readBegan()
            guard queue.isBehind, queue.cursor.room > 0 else { return }
            let page = Array(
                stride(from: queue.cursor.sequence + 1, through: last, by: 1).prefix(min(3, queue.cursor.room))
            )
            for sequence in page {
                queue.read(through: sequence)
                queue.delivered(size: 1)
                handed.append(sequence)
            }
            if page.isEmpty || page.last == last { queue.caughtUp() }
            isWanted = queue.wantsRead()
        }
        func finish() {
            guard finished < handed.count else { return }
            finished += 1
            queue.ended(size: 1)
            isWanted = queue.wantsRead() || isWanted
        }
        for _ in 0..<300 {
            switch random.below(3) {
            case 0:
                last += 1
                if queue.arrived(last, size: 1) { handed.append(last) }
                isWanted = queue.wantsRead() || isWanted
            case 1: finish()
            default: if isWanted { read() }
            }
            #expect(queue.outstanding == handed.count - finished)
            #expect(queue.outstanding <= capacity)
        }
        // It is only read when it is wanted: a wish that is lost would leave messages behind for ever.
        for _ in 0..<2_000 where isWanted || finished < handed.count {
            if isWanted { read() } else { finish() }
        }
        #expect(handed == Array(stride(from: 1, through: last, by: 1)))
        #expect(!queue.isBehind)
    }
}
