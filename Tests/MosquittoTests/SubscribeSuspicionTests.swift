import Testing

@testable import Mosquitto

@Suite("SubscribeSuspicion")
struct SubscribeSuspicionTests {
    private var suspicion = SubscribeSuspicion()

    @Test("filters at which two connections ended go alone, and the one at which three more end is the culprit")
    mutating func found() {
        #expect(suspicion.ended(unanswered: ["a", "b"]) == nil)
        #expect(!suspicion.isCareful)
        #expect(suspicion.ended(unanswered: ["a", "b"]) == nil)
        #expect(suspicion.isSuspect("a") && suspicion.isSuspect("b"))
        suspicion.answered(["a"])
        #expect(suspicion.ended(unanswered: ["b"]) == nil)
        #expect(suspicion.ended(unanswered: ["b"]) == nil)
        #expect(suspicion.ended(unanswered: ["b"]) == "b")
        #expect(suspicion.culprits == ["b"])
        #expect(!suspicion.isCareful)
        suspicion.reset()
        #expect(suspicion.culprits == [])
    }

    @Test("an answer, or an end for another cause, ends the suspicion", arguments: [true, false])
    mutating func cleared(isAnswer: Bool) {
        for _ in 0..<5 {
            #expect(suspicion.ended(unanswered: ["a"]) == nil)
            if isAnswer { suspicion.answered(["a"]) } else { #expect(suspicion.ended(unanswered: []) == nil) }
            #expect(!suspicion.isCareful)
        }
    }

    @Test("in the registry, suspects go one by one behind the others, and the culprit counts as refused")
    func registry() {
        var registry = SubscriptionRegistry(["bad", "good", "fine"].map { SubscriptionRequest($0) })
        for _ in 0..<2 {
            registry.connectionOpened()
            registry.sent(registry.nextBatch() ?? [], packetID: 1)
            #expect(registry.hungUp(isPrompt: true) == nil)
            registry.connectionLost()
        }
        for round in 0..<3 {
            registry.connectionOpened()
            let first = registry.nextBatch() ?? []
            #expect(first.map(\.filter) == ["bad"])
            registry.sent(first, packetID: 1)
            #expect(registry.nextBatch() == nil, "it waits for the answer")
            #expect((registry.hungUp(isPrompt: true) == "bad") == (round == 2))
            registry.connectionLost()
        }
        registry.connectionOpened()
        var packetID: Int32 = 0
        var results: [SubscriptionResult]?
        while let batch = registry.nextBatch() {
            packetID += 1
            registry.sent(batch, packetID: packetID)
            results = registry.acknowledged(packetID: packetID, reasons: batch.map { _ in .success })
        }
        #expect(results?.map(\.request.filter) == ["bad", "good", "fine"])
        #expect(results?.map(\.isHangUp) == [true, false, false])
        #expect(results?.map(\.reason.isSuccess) == [false, true, true])
    }
}
