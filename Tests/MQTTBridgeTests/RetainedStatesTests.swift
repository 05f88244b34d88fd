import AsyncEventBus
import Testing

@testable import MQTTBridge

@Suite("RetainedStates")
struct RetainedStatesTests {
    private let name: EventName = "light.hall"

    private func replayed(_ states: inout RetainedStates, _ digest: UInt64, _ link: String) -> RetainedStates.Verdict {
        states.replayed(name, digest, from: link, isMirrored: true)
    }

    @Test("a state is news once, and again when it has changed")
    func unchanged() {
        var states = RetainedStates()
        #expect([1, 1, 2, 2, 1].map { replayed(&states, $0, "a") } == [.news, .unchanged, .news, .unchanged, .news])
        states.received(name, 7, from: "a")
        #expect(replayed(&states, 7, "a") == .unchanged)
        states.forget(name, link: "a")
        #expect(replayed(&states, 7, "a") == .news)
    }

    @Test("what was passed since the line was lost is newer than what the broker has kept")
    func outdated() {
        var states = RetainedStates()
        states.passed(name, 1, from: "a")
        states.published(name, 1, to: "b")
        states.lost("b")
        states.passed(name, 2, from: "a")
        states.published(name, 2, to: "b")
        for digest in [1, 3] as [UInt64] { #expect(replayed(&states, digest, "b") == .outdated) }
        #expect(replayed(&states, 2, "b") == .unchanged)
        // The next time nothing was passed meanwhile: what is there was set there.
        states.lost("b")
        #expect(replayed(&states, 3, "b") == .news)
        #expect(states.replayed(name, 9, from: "a", isMirrored: false) == .news, "nothing else is published there")
    }

    @Test("what the broker was given and has not acknowledged is newer, also where nobody noticed the cut")
    func inFlight() {
        var states = RetainedStates()
        #expect(replayed(&states, 1, "b") == .news)
        states.passed(name, 2, from: "a")
        states.published(name, 2, to: "b")
        let place = RetainedStates.Place(name: name, link: "b")
        for _ in 0..<2 { states.sent(to: [place]) }
        states.settled(at: [place], areAcknowledged: true)
        states.lost("b")
        #expect(replayed(&states, 1, "b") == .outdated)
        states.settled(at: [place], areAcknowledged: false)
        #expect(replayed(&states, 1, "b") == .news)
    }

    @Test("of two states that cross, the one that comes first is passed on")
    func crossing() {
        var states = RetainedStates()
        let (a, b) = (RetainedStates.Place(name: name, link: "a"), RetainedStates.Place(name: name, link: "b"))
        func passes(from own: RetainedStates.Place, to other: RetainedStates.Place) -> Bool {
            states.sent(to: [other], unlessInFlightTo: [own])
        }
        // The next one of the same side is passed on as well.
        #expect([passes(from: a, to: b), passes(from: a, to: b), passes(from: b, to: a)] == [true, true, false])
        states.settled(at: [b], areAcknowledged: true)
        #expect([passes(from: b, to: a)] == [false])
        states.settled(at: [b], areAcknowledged: true)
        #expect([passes(from: b, to: a), passes(from: a, to: b)] == [true, false])
    }

    @Test("what the broker has taken is newer than kept state that comes behind the acknowledgement")
    func taken() {
        var states = RetainedStates()
        #expect(replayed(&states, 1, "b") == .news)
        states.passed(name, 2, from: "a")
        states.published(name, 2, to: "b")
        let place = RetainedStates.Place(name: name, link: "b")
        states.sent(to: [place])
        states.lost("b")
        states.settled(at: [place], areAcknowledged: true)
        #expect(replayed(&states, 1, "b") == .outdated)
        states.lost("b")
        #expect(replayed(&states, 1, "b") == .news, "it was set there meanwhile")
    }

    @Test("of two brokers with different states, one passes its own at a start, whichever comes first")
    func start() {
        for order in [["a", "b"], ["b", "a"]] {
            var states = RetainedStates()
            #expect(replayed(&states, 1, order[0]) == .news)
            #expect(replayed(&states, 2, order[1]) == .outdated)
        }
        var states = RetainedStates()
        let verdict = states.replayed(name, 1, from: "a", isMirrored: true, isOwed: true)
        #expect(verdict == .outdated, "a newer one is stored for it")
        #expect(replayed(&states, 2, "b") == .news)
        states.lost("a")
        states.lost("b")
        #expect(replayed(&states, 1, "a") == .news)
    }
}
