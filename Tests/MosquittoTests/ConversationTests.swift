import Testing

@testable import Mosquitto

@Suite("Conversation")
struct ConversationTests {
    private let now = ContinuousClock.now
    private var conversation = Conversation(opened: .now)

    @Test("it knows the last packet, with what a broker may dislike, and whether it was answered")
    mutating func lastPacket() {
        #expect(conversation.lastPacket == "CONNECT")
        conversation.subscribed(to: "a/#", count: 3, at: now)
        #expect(conversation.lastPacket == "SUBSCRIBE to \"a/#\" and 2 more")
        conversation.granted()
        #expect(conversation.lastPacket == "SUBSCRIBE to \"a/#\" and 2 more, which was answered")
        conversation.published(.numbered(12, topic: "b\u{202E}"), at: now)
        #expect(conversation.lastPacket == "PUBLISH to \"b\\u{202e}\" (2 bytes, QoS 1)")
    }

    @Test("a connection did work when a message was answered, or one came that is no replay")
    mutating func work() {
        conversation.subscribed(to: "a", count: 1, at: now)
        conversation.granted()
        conversation.received(isReplay: true)
        #expect(!conversation.didWork)
        var other = conversation
        other.received(isReplay: false)
        #expect(other.didWork)
        conversation.answered(isRefusal: false, at: now)
        #expect(conversation.didWork)
    }

    @Test("an end right after a refusal, or together with an answer, has to do with it")
    mutating func answers() {
        #expect(!conversation.endsAtAnswer(at: now))
        conversation.answered(isRefusal: true, at: now)
        #expect(conversation.endsAtAnswer(at: now + .milliseconds(900)))
        #expect(!conversation.endsAtAnswer(at: now + .seconds(2)))
        conversation.answered(isRefusal: false, at: now)
        #expect(conversation.endsAtAnswer(at: now + .milliseconds(5)))
        #expect(!conversation.endsAtAnswer(at: now + .milliseconds(100)))
        conversation.received(isReplay: false)
        #expect(!conversation.endsAtAnswer(at: now))
    }

    @Test("a message at QoS 0 that was written just now may be why a connection ends")
    mutating func unanswered() {
        let written = Publication.numbered(1, qos: .atMostOnce)
        conversation.published(written, at: now)
        #expect(conversation.endsAtUnanswered(at: now + .milliseconds(900)) === written)
        #expect(conversation.endsAtUnanswered(at: now + .seconds(2)) == nil)
        conversation.answered(isRefusal: false, at: now)
        #expect(conversation.endsAtUnanswered(at: now) == nil)
        conversation.published(.numbered(2), at: now)
        #expect(conversation.endsAtUnanswered(at: now) == nil, "one of QoS 1 waits for its answer")
    }
}
