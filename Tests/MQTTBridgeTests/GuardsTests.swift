import AsyncEventBus
import Testing

@testable import MQTTBridge

@Suite("Guards")
struct GuardsTests {
    private let id = EventID(source: "elsewhere", tag: "1")

    @Test("an identity is heard once under each name, and placed once on each topic of each link")
    func identities() {
        let guards = Guards(repeatLimit: 1, turnLimit: 1)
        #expect(guards.hears(.init(id: id, name: "a")))
        #expect(!guards.hears(.init(id: id, name: "a")))
        #expect(guards.hears(.init(id: id, name: "b")))
        #expect(guards.hears(.init(id: EventID(source: "elsewhere", tag: "2"), name: "a")))
        #expect(guards.places(id, link: "l", topic: "t"))
        #expect(!guards.places(id, link: "l", topic: "t"))
        #expect(guards.places(id, link: "m", topic: "t"))
        #expect(guards.places(id, link: "l", topic: "u"))
    }

    @Test("an echo is awaited on the link where it was published, and only there")
    func echoes() {
        let guards = Guards(repeatLimit: 1, turnLimit: 1)
        let key = EchoWindow.Key(topic: "t", payload: [1])
        guards.willPublish(key, link: "l")
        #expect(!guards.isEcho(link: "m", topic: "t", payload: [1]))
        #expect(guards.isEcho(link: "l", topic: "t", payload: [1]))
        guards.didPublish(key, link: "l", isTaken: true)
        #expect(!guards.isEcho(link: "l", topic: "t", payload: [1]))
    }

    @Test("repetition is counted for each name, payload and target")
    func repetition() {
        let guards = Guards(repeatLimit: 1, turnLimit: 1)
        func passes(_ name: EventName, _ payload: Payload, to target: String) -> StormBreaker.Verdict {
            let event = Event(id: id, name: name, payload: payload, origin: EventOrigin(bus: "b"))
            return guards.passes(event, from: "source", to: target, countsRate: true)
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
