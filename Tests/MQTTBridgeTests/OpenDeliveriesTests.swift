import AsyncEventBus
import MessageStore
import Testing

@testable import MQTTBridge

@Suite("Open deliveries")
struct OpenDeliveriesTests {
    private func record(_ sequence: Int64) -> InboundRecord {
        InboundRecord(
            sequence: sequence,
            route: "r",
            broker: "b",
            topic: "t",
            event: "e",
            source: "s",
            tag: "\(sequence)",
            payload: [],
            time: sequence,
            listeners: ["a", "b"]
        )
    }

    private func mailbox(_ name: String, capacity: Int = 2) throws -> DurableMailbox {
        let bus = EventBus()
        try bus.on("e", durable: name, .capacity(capacity)) { _ in }
        return bus.durableMailboxes()[0]
    }

    @Test("a message is done with when the last mailbox of the last listener has finished")
    func settlements() {
        var open = OpenDeliveries(absent: [])
        open.open[1] = OpenMessage(record: record(1), waiting: .init(["a": 2, "b": 1]), running: 3)
        let first = open.ended(1, "a")
        #expect(first?.settlement == .unchanged)
        let second = open.ended(1, "b")
        #expect(second?.settlement == .one)
        let last = open.ended(1, "a")
        #expect(last?.settlement == .all)
        #expect(last?.record == record(1))
        #expect(open.open.isEmpty)
        let afterTheLast = open.ended(1, "a")
        #expect(afterTheLast == nil)
    }

    @Test("what nobody runs any more is not kept, though others have still to read it")
    func nobodyRuns() {
        var open = OpenDeliveries(absent: [])
        open.open[1] = OpenMessage(record: record(1), waiting: .init(["a": 1, "b": 1]), running: 1)
        let ending = open.ended(1, "a")
        #expect(ending?.settlement == .one)
        #expect(open.open.isEmpty)
    }

    @Test("one listener alone finishes a message, another one does not")
    func alone() throws {
        for (name, expected) in [("a", OpenMessage.Settlement.all), ("b", .one)] {
            var open = OpenDeliveries(absent: [])
            open.open[1] = OpenMessage(record: record(1), waiting: .init([try mailbox("a")]), running: 2)
            let ending = open.ended(1, name)
            #expect(ending?.settlement == expected)
        }
    }

    @Test("a mailbox gets what it has room for, and reads the rest from the store when half of it is finished")
    func room() throws {
        var open = OpenDeliveries(absent: [])
        let mailbox = try mailbox("a")
        let one = open.arrived(1, size: 1, for: mailbox)
        #expect(one == (true, false))
        let two = open.arrived(2, size: 1, for: mailbox)
        #expect(two == (true, false))
        let three = open.arrived(3, size: 1, for: mailbox)
        #expect(three == (false, false))
        let readsAtHalf = open.queueEnded(mailbox, size: 1, isRemoved: false)
        #expect(readsAtHalf)
        let readsTwice = open.queueEnded(mailbox, size: 1, isRemoved: false)
        #expect(!readsTwice)
    }

    @Test("where the store may hold something for a mailbox, it reads that first")
    func legacy() throws {
        var open = OpenDeliveries(absent: ["a"])
        let arrival = open.arrived(1, size: 1, for: try mailbox("a"))
        #expect(arrival == (false, true))
    }

    @Test("a mailbox that has left the bus is forgotten when nothing is left for it")
    func removed() throws {
        var open = OpenDeliveries(absent: [])
        let mailbox = try mailbox("a")
        for sequence: Int64 in 1...2 { _ = open.arrived(sequence, size: 1, for: mailbox) }
        _ = open.queueEnded(mailbox, size: 1, isRemoved: true)
        #expect(open.queues.count == 1)
        _ = open.queueEnded(mailbox, size: 1, isRemoved: true)
        #expect(open.queues.isEmpty)
    }
}
