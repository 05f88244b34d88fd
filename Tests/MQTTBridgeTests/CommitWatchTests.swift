import Testing

@testable import MQTTBridge

@Suite("the watch over commits")
struct CommitWatchTests {
    private let watch = CommitWatch()

    @Test("reports one that does not end once, and then that it has ended")
    func stall() {
        let start = ContinuousClock.now
        watch.during {
            #expect(watch.look(at: start + .seconds(3)) == nil)
            guard case .stalled(let age)? = watch.look(at: start + .seconds(5)) else {
                Issue.record("not reported")
                return
            }
            #expect(age >= .seconds(4))
            #expect(watch.look(at: start + .seconds(60)) == nil)
        }
        guard case .recovered(let age)? = watch.look(at: start + .seconds(61)) else {
            Issue.record("its end is not reported")
            return
        }
        #expect(age >= .seconds(60))
        #expect(watch.look(at: start + .seconds(120)) == nil)
    }

    @Test("passes over many that end")
    func many() {
        let start = ContinuousClock.now
        for _ in 0..<100 { watch.during {} }
        #expect(watch.look(at: start + .seconds(3_600)) == nil)
    }

    @Test("says that one has ended although the next is under way")
    func next() {
        watch.during { _ = watch.look(at: .now + .seconds(5)) }
        watch.during {
            guard case .recovered? = watch.look(at: .now + .seconds(1)) else {
                Issue.record("its end is not reported")
                return
            }
        }
    }
}
