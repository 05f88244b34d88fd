import Testing

@testable import Mosquitto

@Suite("TopicCache")
struct TopicCacheTests {
    @Test("a topic that came before is found as the same, and no other is taken for it", arguments: ["", "a", "a/é/b"])
    func find(text: String) {
        let cache = TopicCache()
        let first = cache.topic(text)
        #expect(first.text == text)
        #expect(cache.topic("other") !== first)
        #expect(cache.topic(text) === first)
    }

    @Test("of more topics than there are places, in turn, a bounded number is found, and each has its own text")
    func bounded() {
        let cache = TopicCache()
        var first: [KnownTopic] = []
        for number in 0..<20_000 { first.append(cache.topic("topic/\(number)")) }
        var found = 0
        for number in first.indices {
            let again = cache.topic("topic/\(number)")
            #expect(again.text == "topic/\(number)")
            if again === first[number] { found += 1 }
        }
        #expect(found <= 16_384 && found > 2_000)
    }

    @Test("a long topic is not kept")
    func long() {
        let cache = TopicCache()
        let (long, short) = (String(repeating: "a", count: 513), String(repeating: "a", count: 512))
        #expect(cache.topic(long) !== cache.topic(long))
        #expect(cache.topic(short) === cache.topic(short))
    }
}
