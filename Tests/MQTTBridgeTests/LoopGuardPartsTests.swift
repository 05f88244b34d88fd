import Testing

@testable import MQTTBridge
import TestSupport

@Suite("LoopGuard")
struct LoopGuardPartsTests {
    private let start = ContinuousClock.now

    private func key(_ payload: String, _ topic: String = "t") -> EchoWindow.Key {
        EchoWindow.Key(topic: topic, payload: Array(payload.utf8))
    }

    // MARK: SeenWindow

    @Test("a key is new once within the span, and again after it")
    func seenSpan() {
        var window = SeenWindow(capacity: 10, span: .seconds(60))
        #expect(window.insert("a", at: start) == true)
        #expect(window.insert("a", at: start + .seconds(59)) == false)
        #expect(window.insert("b", at: start + .seconds(59)) == true)
        #expect(window.insert("a", at: start + .seconds(61)) == true)
        #expect(window.insert("b", at: start + .seconds(61)) == false)
    }

    @Test("the oldest key leaves when there are too many")
    func seenCapacity() {
        var window = SeenWindow(capacity: 3)
        for number in 0..<4 { #expect(window.insert(number, at: start) == true) }
        for number in 1..<4 { #expect(window.insert(number, at: start) == false) }
        #expect(window.insert(0, at: start) == true)
    }

    @Test("a key that was taken back and comes again is the newest one, in number and in time")
    func seenAgain() {
        var window = SeenWindow(capacity: 3, span: .seconds(60))
        for number in 0..<3 { #expect(window.insert(number, at: start) == true) }
        window.remove(0)
        window.remove(7)
        #expect(window.insert(0, at: start + .seconds(50)) == true)
        // There is room for three: the oldest leaves, which is 1 by now.
        #expect(window.insert(3, at: start + .seconds(50)) == true)
        #expect(window.insert(0, at: start + .seconds(50)) == false)
        #expect(window.insert(2, at: start + .seconds(50)) == false)
        #expect(window.insert(0, at: start + .seconds(61)) == false)
        #expect(window.insert(1, at: start + .seconds(61)) == true)
    }

    // MARK: EchoWindow

    @Test("as many equal messages are echoes as were published, whichever comes first", arguments: [true, false])
    func echoCount(acknowledgedFirst: Bool) {
        var window = EchoWindow(span: .seconds(10))
        for _ in 0..<3 {
            window.willPublish(key("x"))
            if acknowledgedFirst { window.didPublish(key("x"), isTaken: true, at: start) }
        }
        for _ in 0..<3 { #expect(window.received(key("x"), at: start) == true) }
        #expect(window.received(key("x"), at: start) == false)
        #expect(window.received(key("y"), at: start) == false)
        #expect(window.received(key("x", "other"), at: start) == false)
        if !acknowledgedFirst {
            for _ in 0..<3 { window.didPublish(key("x"), isTaken: true, at: start) }
            #expect(window.received(key("x"), at: start) == false)
        }
        #expect(window.count == 0)
    }

    @Test("the span begins when the broker has the message, however long it waited")
    func echoSpan() {
        var window = EchoWindow(span: .seconds(10))
        window.willPublish(key("x"))
        #expect(window.received(key("x"), at: start + .seconds(3_600)) == true)
        window.didPublish(key("x"), isTaken: true, at: start + .seconds(3_600))
        window.willPublish(key("x"))
        window.didPublish(key("x"), isTaken: true, at: start + .seconds(4_000))
        #expect(window.received(key("x"), at: start + .seconds(4_011)) == false)
        #expect(window.count == 0)
    }

    @Test("an echo that never came does not hide that of a later, equal message")
    func echoLost() {
        var window = EchoWindow(span: .seconds(10))
        for second in [0, 9] {
            window.willPublish(key("x"))
            window.didPublish(key("x"), isTaken: true, at: start + .seconds(second))
        }
        #expect(window.received(key("x"), at: start + .seconds(11)) == true)
        #expect(window.received(key("x"), at: start + .seconds(11)) == false)
    }

    @Test("what was not published is not awaited")
    func echoWithdrawn() {
        var window = EchoWindow(span: .seconds(10))
        window.willPublish(key("x"))
        window.didPublish(key("x"), isTaken: false, at: start)
        #expect(window.received(key("x"), at: start) == false)
        #expect(window.count == 0)
    }

    @Test("at most so many are remembered, the newest")
    func echoCapacity() {
        var window = EchoWindow(capacity: 3, span: .seconds(10))
        for number in 0..<5 {
            window.willPublish(key("\(number)"))
            window.didPublish(key("\(number)"), isTaken: true, at: start)
        }
        #expect(window.count == 3)
        #expect(window.received(key("1"), at: start) == false)
        for number in 2..<5 { #expect(window.received(key("\(number)"), at: start) == true) }
        #expect(window.count == 0)
    }

    @Test("counts agree with a naive list of what is awaited", arguments: Seed.fresh(3))
    func echoModel(seed: Seed) {
        var random = seed.random
        var window = EchoWindow(span: .seconds(10))
        var waiting: [String] = []
        var early: [String] = []
        var taken: [(text: String, at: Int)] = []
        var second = 0
        for _ in 0..<3_000 {
            let text = random.pick(["a", "b", "c"])
            let now = start + .seconds(second)
            switch random.below(4) {
            case 0:
                window.willPublish(key(text))
                waiting.append(text)
            case 1:
                guard let position = waiting.firstIndex(of: text) else { continue }
                waiting.remove(at: position)
                let isTaken = random.chance(3, in: 4)
                window.didPublish(key(text), isTaken: isTaken, at: now)
                if let answered = early.firstIndex(of: text) {
                    early.remove(at: answered)
                } else if isTaken {
                    taken.append((text, second))
                }
            case 2:
                taken.removeAll { $0.at + 10 < second }
                var expected = false
                if let position = taken.firstIndex(where: { $0.text == text }) {
                    taken.remove(at: position)
                    expected = true
                } else if early.count(where: { $0 == text }) < waiting.count(where: { $0 == text }) {
                    early.append(text)
                    expected = true
                }
                #expect(window.received(key(text), at: now) == expected)
            default:
                second += random.below(4)
            }
        }
    }

    // MARK: StormBreaker

    /// The verdicts on one content, given where it comes from and when, in milliseconds.
    private func verdicts(
        _ breaker: inout StormBreaker,
        _ passes: [(source: String, at: Int)],
        countsRate: Bool = true
    ) -> [StormBreaker.Verdict] {
        passes.map { pass in
            let now = start + .milliseconds(pass.at)
            return breaker.passes("x", from: pass.source, to: "target", countsRate: countsRate, at: now)
        }
    }

    @Test("so many a second pass one way, the next trips, and after the pause all begins anew")
    func breakerRate() {
        var breaker = StormBreaker(limit: 3, turnLimit: 8)
        let burst = Array(repeating: (source: "a", at: 0), count: 5)
        #expect(verdicts(&breaker, burst) == [.pass, .pass, .pass, .trips, .blocked])
        #expect(breaker.passes("y", from: "a", to: "target", at: start) == .pass)
        #expect(verdicts(&breaker, [("a", 9_999)]) == [.blocked])
        #expect(verdicts(&breaker, burst.map { ($0.source, 10_000) }) == [.pass, .pass, .pass, .trips, .blocked])
    }

    @Test("slow repetition one way passes for ever, and to each broker by itself")
    func breakerSlow() {
        var breaker = StormBreaker(limit: 3, turnLimit: 2)
        #expect(verdicts(&breaker, (0..<200).map { ("a", $0 * 400) }).allSatisfy { $0 == .pass })
        for target in ["t", "u", "v"] {
            for _ in 0..<3 { #expect(breaker.passes("y", from: "a", to: target, at: start) == .pass) }
        }
    }

    @Test("to and fro trips after so many turns, however slow, and is blocked whichever way it comes")
    func breakerTurns() {
        var breaker = StormBreaker(limit: 64, turnLimit: 3)
        let slow = (0..<6).map { (source: $0.isMultiple(of: 2) ? "a" : "b", at: $0 * 5_000) }
        #expect(verdicts(&breaker, slow) == [.pass, .pass, .pass, .pass, .trips, .blocked])
        #expect(verdicts(&breaker, [("b", 34_999), ("b", 35_000)]) == [.blocked, .pass])
    }

    @Test("what goes on to come from both sides stays blocked, what comes from one side does not")
    func breakerBacklog() {
        var breaker = StormBreaker(limit: 64, turnLimit: 1)
        #expect(verdicts(&breaker, [("a", 0), ("b", 0), ("a", 0)]) == [.pass, .pass, .trips])
        let backlog = (1..<10).map { (source: $0.isMultiple(of: 2) ? "a" : "b", at: $0 * 9_000) }
        #expect(verdicts(&breaker, backlog).allSatisfy { $0 == .blocked })
        #expect(verdicts(&breaker, [("b", 90_999), ("b", 91_000)]) == [.blocked, .pass])
    }

    @Test("turns that lie apart are no circle")
    func breakerRareTurns() {
        var breaker = StormBreaker(limit: 64, turnLimit: 1)
        let rare = (0..<50).map { (source: $0.isMultiple(of: 2) ? "a" : "b", at: $0 * 30_001) }
        #expect(verdicts(&breaker, rare).allSatisfy { $0 == .pass })
    }

    @Test("what can be told apart trips by turns only")
    func breakerWithIdentity() {
        var breaker = StormBreaker(limit: 2, turnLimit: 1)
        let burst = Array(repeating: (source: "a", at: 0), count: 1_000)
        #expect(verdicts(&breaker, burst, countsRate: false).allSatisfy { $0 == .pass })
        #expect(verdicts(&breaker, [("b", 1), ("a", 2)], countsRate: false) == [.pass, .trips])
    }

    @Test("many different messages neither trip it nor fill memory, and a storm among them ends")
    func breakerMany() {
        var breaker = StormBreaker(limit: 64, turnLimit: 8)
        var passed = 0
        for round in 0..<20 {
            let source = round.isMultiple(of: 2) ? "a" : "b"
            for number in 0..<10_000 where breaker.passes(number, from: source, to: "t", at: start) == .pass {
                passed += 1
            }
        }
        #expect(passed == 90_000)
    }
}
