import Testing

@testable import Mosquitto
import TestSupport

@Suite("PublishQueue")
struct OutboxTests {
    @Test("messages leave in the order in which they came")
    func order() {
        var outbox = PublishQueue(capacity: 10, maximumBytes: 1_000)
        for number in 0..<5 { #expect(outbox.add(.numbered(number)) == true) }
        #expect(outbox.take(limit: 2).map(\.number) == [0, 1])
        #expect(outbox.take(limit: 100).map(\.number) == [2, 3, 4])
        #expect(outbox.take(limit: 1).isEmpty)
        #expect(outbox.take(limit: 0).isEmpty)
    }

    @Test("those in flight count towards the limit until they are done with")
    func count() {
        var outbox = PublishQueue(capacity: 2, maximumBytes: 1_000)
        #expect(outbox.add(.numbered(0)) == true)
        #expect(outbox.add(.numbered(1)) == true)
        #expect(outbox.add(.numbered(2)) == false)
        let taken = outbox.take(limit: 2)
        #expect(outbox.add(.numbered(2)) == false)
        #expect(outbox.nextQoS == nil)
        #expect(!outbox.isEmpty)
        outbox.completed(taken[0])
        #expect(outbox.add(.numbered(2)) == true)
        #expect(outbox.add(.numbered(3)) == false)
    }

    @Test("topic and payload count towards the limit in bytes")
    func bytes() throws {
        var outbox = PublishQueue(capacity: 100, maximumBytes: 20)
        let ten = try Publication(checked: Message(topic: "12345", payload: [1, 2, 3, 4, 5]), completion: nil)
        #expect(outbox.add(ten) == true)
        #expect(outbox.add(ten) == true)
        #expect(outbox.add(.numbered(0)) == false)
        let taken = outbox.take(limit: 1)
        #expect(outbox.add(.numbered(0)) == false)
        outbox.completed(taken[0])
        #expect(outbox.add(.numbered(0)) == true)
    }

    @Test("one message that is larger than all the room is taken when it is alone")
    func oversized() {
        var outbox = PublishQueue(capacity: 100, maximumBytes: 20)
        #expect(outbox.add(.numbered(0, padding: 100)) == true)
        #expect(outbox.add(.numbered(1)) == false)
        #expect(outbox.add(.numbered(2, padding: 100)) == false)
        let taken = outbox.take(limit: 1)
        #expect(outbox.add(.numbered(2, padding: 100)) == false)
        outbox.completed(taken[0])
        #expect(outbox.add(.numbered(2, padding: 100)) == true)
    }

    @Test("a message at QoS 2 that may not go yet holds up all that come after it")
    func exactlyOnce() {
        var outbox = PublishQueue(capacity: 10, maximumBytes: 1_000)
        for number in 0..<6 {
            _ = outbox.add(.numbered(number, qos: number.isMultiple(of: 2) ? .exactlyOnce : .atLeastOnce))
        }
        #expect(outbox.nextQoS == .exactlyOnce)
        #expect(outbox.take(limit: 10, exactlyOnce: 0).isEmpty)
        #expect(outbox.take(limit: 10, exactlyOnce: 2).map(\.number) == [0, 1, 2, 3])
        #expect(outbox.take(limit: 1, exactlyOnce: 2).map(\.number) == [4])
        #expect(outbox.nextQoS == .atLeastOnce)
        #expect(outbox.take(limit: 10, exactlyOnce: 0).map(\.number) == [5])
    }

    @Test("what comes back from a lost connection is sent before all others, in its order")
    func returned() {
        var outbox = PublishQueue(capacity: 10, maximumBytes: 1_000)
        for number in 0..<6 { _ = outbox.add(.numbered(number)) }
        let taken = outbox.take(limit: 4)
        outbox.completed(taken[1])
        outbox.returned([taken[0], taken[2], taken[3]])
        #expect(outbox.take(limit: 10).map(\.number) == [0, 2, 3, 4, 5])
    }

    @Test("there is room once half of the places and half of the bytes are free")
    func room() {
        var outbox = PublishQueue(capacity: 4, maximumBytes: 40)
        #expect(outbox.hasRoom(for: 1))
        for number in 0..<3 { _ = outbox.add(.numbered(number)) }
        #expect(!outbox.hasRoom(for: 1))
        let taken = outbox.take(limit: 1)
        #expect(!outbox.hasRoom(for: 1))
        outbox.completed(taken[0])
        #expect(outbox.hasRoom(for: 1))
        _ = outbox.removeAll()
        _ = outbox.add(.numbered(3, padding: 30))
        #expect(!outbox.hasRoom(for: 1))
    }

    @Test("there is room for a message only where it would be taken: one that is too large waits for an empty queue")
    func roomForSize() {
        var outbox = PublishQueue(capacity: 10, maximumBytes: 100)
        _ = outbox.add(.numbered(0, padding: 38))
        #expect(outbox.hasRoom(for: 60))
        #expect(!outbox.hasRoom(for: 61))
        let large = Publication.numbered(1, padding: 200)
        #expect(!outbox.hasRoom(for: large.size))
        #expect(outbox.add(large) == false)
        let taken = outbox.take(limit: 1)
        outbox.completed(taken[0])
        #expect(outbox.hasRoom(for: large.size))
        #expect(outbox.add(large) == true)
    }

    @Test("all properties count towards the limit in bytes")
    func properties() throws {
        func size(_ properties: MessageProperties) throws -> Int {
            try Publication(checked: Message(topic: "t", payload: [1, 2], properties: properties), completion: nil).size
        }
        #expect(try size(MessageProperties()) == 3)
        let text = String(repeating: "x", count: 1_000)
        #expect(try size(MessageProperties(userProperties: [.init("name", text), .init(text, "")])) >= 2_007)
        #expect(try size(MessageProperties(contentType: text)) >= 1_003)
        #expect(try size(MessageProperties(responseTopic: text)) >= 1_003)
        #expect(try size(MessageProperties(correlationData: Array(text.utf8))) >= 1_003)
        #expect(try size(MessageProperties(expiry: .seconds(1))) == 8)
        #expect(try size(MessageProperties(userProperties: [.init("", "")])) > 3)
    }

    @Test("giving everything up returns what waited, and leaves it empty")
    func removeAll() {
        var outbox = PublishQueue(capacity: 2, maximumBytes: 40)
        _ = outbox.add(.numbered(0, padding: 10))
        _ = outbox.add(.numbered(1, padding: 10))
        #expect(outbox.removeAll().map(\.number) == [0, 1])
        #expect(outbox.isEmpty)
        #expect(outbox.add(.numbered(2, padding: 30)) == true)
        #expect(outbox.add(.numbered(3)) == true)
    }

    @Test("the books balance after any sequence of events", arguments: Seed.fresh(20))
    func property(seed: Seed) {
        var random = seed.random
        var outbox = PublishQueue(capacity: 1 + random.below(20), maximumBytes: 1 + random.below(400))
        var waiting: [Int] = []
        var flying: [Publication] = []
        var next = 0
        for _ in 0..<1_000 {
            switch random.below(4) {
            case 0, 1:
                let publication = Publication.numbered(next, padding: random.below(40))
                let size = (waiting.count + flying.count)
                let hasRoom = outbox.hasRoom(for: publication.size)
                let isTaken = outbox.add(publication)
                if hasRoom { #expect(isTaken, "\(seed)") }
                if size >= outbox.capacity { #expect(!isTaken, "\(seed)") }
                if size == 0 { #expect(isTaken, "\(seed)") }
                if isTaken { waiting.append(next) }
                next += 1
            case 2:
                let limit = random.below(5)
                let taken = outbox.take(limit: limit)
                #expect(taken.map(\.number) == Array(waiting.prefix(limit)), "\(seed)")
                waiting.removeFirst(taken.count)
                flying += taken
            default:
                if random.chance(1, in: 10) {
                    outbox.returned(flying)
                    waiting = flying.map(\.number) + waiting
                    flying = []
                } else if !flying.isEmpty {
                    outbox.completed(flying.remove(at: random.below(flying.count)))
                }
            }
            #expect(outbox.isEmpty == (waiting.isEmpty && flying.isEmpty), "\(seed)")
            #expect((outbox.nextQoS != nil) == !waiting.isEmpty, "\(seed)")
        }
        for publication in flying { outbox.completed(publication) }
        _ = outbox.removeAll()
        #expect(outbox.isEmpty && outbox.hasRoom(for: outbox.maximumBytes + 1), "\(seed)")
        #expect(outbox.add(.numbered(0, padding: outbox.maximumBytes)) == true, "\(seed)")
    }
}
