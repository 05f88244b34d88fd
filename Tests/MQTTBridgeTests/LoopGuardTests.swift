import AsyncEventBus
import MessageStore
import Testing

@testable import MQTTBridge

@Suite("LoopGuard")
struct LoopGuardTests {
    private let id = EventID(source: "elsewhere", tag: "1")

    @Test("an identity is heard once under each name, and placed once on each topic of each link")
    func identities() {
        let loopGuard = LoopGuard(repeatLimit: 1, turnLimit: 1)
        #expect(loopGuard.recordSeen(.init(id: id, name: "a", digest: 1)) == .first)
        #expect(loopGuard.recordSeen(.init(id: id, name: "a", digest: 1)) == .again)
        #expect(loopGuard.recordSeen(.init(id: id, name: "b", digest: 1)) == .first)
        #expect(loopGuard.recordSeen(.init(id: EventID(source: "elsewhere", tag: "2"), name: "a", digest: 1)) == .first)
        #expect(loopGuard.recordPublished(id, 1, link: "l", topic: "t"))
        #expect(!loopGuard.recordPublished(id, 1, link: "l", topic: "t"))
        #expect(loopGuard.recordPublished(id, 1, link: "m", topic: "t"))
        #expect(loopGuard.recordPublished(id, 1, link: "l", topic: "u"))
        #expect(loopGuard.recordPublished(id, 2, link: "l", topic: "t"))
        loopGuard.forgetPublished(id, 1, link: "l", topic: "t")
        #expect(loopGuard.recordPublished(id, 1, link: "l", topic: "t"))
        #expect(!loopGuard.recordPublished(id, 2, link: "l", topic: "t"))
    }

    @Test("as long as a first copy is known, it is known that no store has it")
    func unstored() {
        let count = 70_000
        let loopGuard = LoopGuard(repeatLimit: 1, turnLimit: 1, count: count)
        func event(_ number: Int) -> LoopGuard.InboundEvent {
            .init(id: EventID(source: "elsewhere", tag: "\(number)"), name: "a", digest: 1)
        }
        for number in 0..<count { #expect(loopGuard.recordSeen(event(number), isUnstored: true) == .first) }
        #expect(loopGuard.recordSeen(event(0), for: CommitOutcome()).copy == .first)
    }

    @Test("another content under a known identity is no copy, and is known itself from then on")
    func contents() {
        let loopGuard = LoopGuard(repeatLimit: 1, turnLimit: 1)
        func recordSeen(_ digest: UInt64) -> CopyWindow.Copy {
            loopGuard.recordSeen(.init(id: id, name: "a", digest: digest))
        }
        #expect([1, 2, 1, 2, 3, 3].map(recordSeen) == [.first, .changed, .again, .again, .changed, .again])
        loopGuard.forgetSeen([.init(id: id, name: "a", digest: 3)])
        #expect(recordSeen(3) == .changed)
        loopGuard.forgetSeen([.init(id: id, name: "a", digest: 1)])
        #expect(recordSeen(4) == .first)
        #expect(recordSeen(1) == .changed)
    }

    @Test("what was forgotten and came again is forgotten after its own time, not after the first one's")
    func window() {
        var window = CopyWindow(capacity: 2, span: .seconds(10))
        let start = ContinuousClock.now
        #expect(window.insert("a", 1, at: start) == .first)
        window.remove("a", 1)
        #expect(window.insert("a", 1, at: start + .seconds(6)) == .first)
        #expect(window.insert("a", 1, at: start + .seconds(12)) == .again)
        #expect(window.insert("a", 1, at: start + .seconds(17)) == .first)
        for key in ["b", "c"] { #expect(window.insert(key, 1, at: start + .seconds(18)) == .first) }
        #expect(window.insert("a", 1, at: start + .seconds(18)) == .first)
    }

    @Test("a digest depends on every byte, the length and the key; the key stays with the store")
    func digests() throws {
        let hash = KeyedHash(1, 2)
        var texts: [[UInt8]] = (0..<40).map { [UInt8](repeating: 0, count: $0) }
        texts += (0..<20).map { position in (0..<20).map { $0 == position ? 1 : 0 } }
        #expect(Set(texts.map { hash($0) }).count == texts.count)
        #expect(texts.allSatisfy { KeyedHash(1, 2)($0) == hash($0) && KeyedHash(2, 2)($0) != hash($0) })
        let store = MemoryStore()
        #expect(try KeyedHash(store)([1, 2, 3]) == KeyedHash(store)([1, 2, 3]))
        #expect(try KeyedHash(store)([1, 2, 3]) != KeyedHash(MemoryStore())([1, 2, 3]))
    }

    @Test("an echo is awaited on the link where it was published, and only there")
    func echoes() {
        let loopGuard = LoopGuard(repeatLimit: 1, turnLimit: 1)
        let key = EchoWindow.Key(topic: "t", payload: [1])
        loopGuard.willPublish(key, link: "l")
        #expect(!loopGuard.isEcho(link: "m", topic: "t", payload: [1]))
        #expect(loopGuard.isEcho(link: "l", topic: "t", payload: [1]))
        loopGuard.didPublish(key, link: "l", isTaken: true)
        #expect(!loopGuard.isEcho(link: "l", topic: "t", payload: [1]))
    }

    @Test("repetition is counted for each name, payload and target")
    func repetition() {
        let loopGuard = LoopGuard(repeatLimit: 1, turnLimit: 1)
        func passes(_ name: EventName, _ payload: Payload, to target: String) -> StormBreaker.Verdict {
            let event = Event(id: id, name: name, payload: payload, origin: EventOrigin(bus: "b"))
            return loopGuard.passes(event, from: "source", to: target, countsRate: true)
        }
        #expect(passes("a", "1", to: "l") == .pass)
        #expect(passes("a", "1", to: "m") == .pass)
        #expect(passes("b", "1", to: "l") == .pass)
        #expect(passes("a", "2", to: "l") == .pass)
        #expect(passes("a", "1", to: "l") == .trips)
        #expect(passes("a", "1", to: "m") == .blocked)
        #expect(passes("b", "1", to: "m") == .pass)
    }
}
