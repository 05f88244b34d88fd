import Testing

@testable import Mosquitto

@Suite("ExactlyOnceWatch")
struct ExactlyOnceWatchTests {
    private var watch = ExactlyOnceWatch()
    private let twice = [Publication.numbered(0), .numbered(1, qos: .exactlyOnce)]

    @Test("two breaches in a row with QoS 2 under way lead to QoS 1")
    mutating func avoided() {
        #expect(watch.blames(twice))
        #expect(watch.ended() == false)
        #expect(!watch.isAvoided)
        #expect(watch.ended() == true)
        #expect(watch.isAvoided)
        #expect(!watch.blames(twice), "it has gone out at QoS 1")
        watch.passed()
        #expect(watch.isAvoided)
    }

    @Test("a message at QoS 2 that passes ends the suspicion, and QoS 1 is none")
    mutating func passed() {
        #expect(!watch.blames([.numbered(2)]))
        for _ in 0..<4 {
            #expect(watch.ended() == false)
            watch.passed()
        }
        #expect(!watch.isAvoided)
    }
}
