import Testing

@testable import Mosquitto

@Suite("HangUpSuspicion")
struct HangUpSuspicionTests {
    private var suspicion = HangUpSuspicion()
    private let culprit = Publication.numbered(0, topic: "large")
    private let others = (1...3).map { Publication.numbered($0) }

    private mutating func end(
        _ underWay: [Publication],
        after time: Duration = .milliseconds(5),
        reason: ReasonCode? = nil
    ) -> Publication? {
        suspicion.ended(.init(underWay: underWay, sinceSent: time, reason: reason))
    }

    @Test("the message at which connections end twice, and three times more when it is alone, is the culprit")
    mutating func found() {
        #expect(end([culprit] + others) == nil)
        #expect(!suspicion.isCareful)
        #expect(end([culprit] + others) == nil)
        #expect(suspicion.isCareful)
        #expect(suspicion.quietTime == HangUpSuspicion.quiet.first)
        #expect(end([culprit]) == nil)
        #expect(suspicion.quietTime == HangUpSuspicion.quiet.second)
        #expect(end([culprit]) == nil)
        #expect(end([culprit]) === culprit)
    }

    @Test("connections that end at different messages make nobody suspicious")
    mutating func different() {
        for _ in 0..<3 {
            for publication in others { #expect(end([publication, culprit]) == nil) }
        }
        #expect(!suspicion.isCareful)
    }

    @Test("an end with nothing under way, or long after a message, clears them all", arguments: [true, false])
    mutating func cleared(isEmpty: Bool) {
        for _ in 0..<2 { _ = end([culprit]) }
        _ = end([culprit])
        #expect(suspicion.isCareful)
        #expect(end(isEmpty ? [] : [culprit], after: .seconds(6)) == nil)
        #expect(!suspicion.isCareful)
        #expect(end([culprit]) == nil)
    }

    @Test("a suspect that passes is none any more, and after some messages many go at once")
    mutating func passes() {
        for _ in 0..<3 { _ = end([culprit]) }
        suspicion.passed(1)
        #expect(end([culprit]) == nil)
        for _ in 1..<HangUpSuspicion.successes.fewest { suspicion.passed(1) }
        #expect(suspicion.isCareful)
        suspicion.passed(1)
        #expect(!suspicion.isCareful)
    }

    @Test("after a culprit one end is enough: for care, and for another on its topic")
    mutating func experience() {
        for _ in 0..<5 { _ = end([culprit]) }
        #expect(suspicion.quietTime == .zero)
        let second = Publication.numbered(5, topic: "large")
        #expect(end([second]) === second)
        #expect(end([others[0]]) == nil, "a message of another topic has its second chance")
        #expect(end([others[0]]) === others[0])
        suspicion.passed(1_000)
        #expect(!suspicion.isCareful)
        #expect(end([culprit] + others) == nil)
        #expect(suspicion.isCareful)
        suspicion.brokerWasAway()
        #expect(!suspicion.isCareful)
        #expect(end([culprit]) == nil)
        #expect(!suspicion.isCareful)
    }

    @Test("where the broker gives a reason, one end is enough each time")
    mutating func reason() {
        #expect(end([culprit] + others, reason: .packetTooLarge) == nil)
        #expect(suspicion.isCareful)
        #expect(end([culprit], reason: .packetTooLarge) === culprit)
    }

    @Test("messages at QoS 0, which do not come again, are told apart as well")
    mutating func unacknowledged() {
        let written = (0..<3).map { Publication.numbered($0, qos: .atMostOnce) }
        #expect(end([written[0]]) == nil)
        #expect(end([written[1]]) == nil)
        #expect(suspicion.isCareful)
        #expect(end([written[2]]) === written[2])
    }

    @Test("one of QoS 0 beside others that wait for their answer is not taken for the culprit")
    mutating func mixed() {
        let written = Publication.numbered(9, qos: .atMostOnce)
        for _ in 0..<2 { #expect(end([culprit, written]) == nil) }
        #expect(suspicion.isCareful)
        for _ in 0..<2 { #expect(end([culprit]) == nil) }
        #expect(end([culprit]) === culprit)
    }
}
