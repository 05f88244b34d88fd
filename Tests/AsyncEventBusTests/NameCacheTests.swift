import Testing

@testable import AsyncEventBus

@Suite("NameCache")
struct NameCacheTests {
    private static func makeTargets() -> Receivers { Receivers(sinks: [], transports: []) }

    private static func name(_ number: Int) -> EventName { EventName(spelled: "name.\(number)") }

    @Test("a name that came twice is found, and no other")
    func find() {
        var cache = NameCache()
        #expect(cache["a"] == nil)
        let (one, two) = (Self.makeTargets(), Self.makeTargets())
        cache.note(one, for: "a")
        cache.note(two, for: "b")
        #expect(cache["a"] == nil && cache["b"] == nil)
        cache.note(one, for: "a")
        #expect(cache["a"] === one && cache["b"] == nil)
        cache.note(two, for: "b")
        #expect(cache["a"] === one && cache["b"] === two)
        #expect(cache["c"] == nil)
    }

    @Test("names that come once hold nothing of what they found")
    func once() {
        var cache = NameCache()
        weak var receivers: Receivers?
        do {
            let made = Self.makeTargets()
            receivers = made
            for number in 0..<100 { cache.note(made, for: Self.name(number)) }
        }
        #expect(receivers == nil)
        #expect((0..<100).allSatisfy { cache[Self.name($0)] == nil })
    }

    @Test("as long as there are few names, nearly all of them are kept while the places grow")
    func growth() {
        var cache = NameCache()
        let all = (0..<2_000).map { _ in Self.makeTargets() }
        for _ in 0..<2 {
            for (number, receivers) in all.enumerated() { cache.note(receivers, for: Self.name(number)) }
        }
        let kept = all.indices.filter { cache[Self.name($0)] === all[$0] }
        #expect(kept.count > 1_500)
    }

    @Test("of names without end a bounded number is kept, and none has the receivers of another")
    func bounded() {
        var cache = NameCache()
        var all: [Receivers] = []
        for number in 0..<40_000 {
            all.append(Self.makeTargets())
            for _ in 0..<2 { cache.note(all[number], for: Self.name(number)) }
            #expect(cache[Self.name(number)] === all[number])
        }
        let kept = all.indices.filter { cache[Self.name($0)] != nil }
        #expect(kept.count <= 8_192 && kept.count > 4_096)
        #expect(kept.allSatisfy { cache[Self.name($0)] === all[$0] })
    }

    @Test("a long name is not kept")
    func long() {
        var cache = NameCache()
        let (long, short) = (String(repeating: "a", count: 513), String(repeating: "a", count: 512))
        for name in [long, short, long, short] { cache.note(Self.makeTargets(), for: EventName(spelled: name)) }
        #expect(cache[EventName(spelled: long)] == nil && cache[EventName(spelled: short)] != nil)
    }
}
