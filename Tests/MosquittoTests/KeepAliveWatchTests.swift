import Testing

@testable import Mosquitto

@Suite("the answer to a ping")
struct PingWatchTests {
    @Test("is held back where a hold began before all was read, until all is")
    func heldBack() {
        var watch = KeepAliveWatch()
        watch.sent()
        #expect(!watch.isAnswerHeldBack)
        watch.held()
        #expect(watch.isAnswerHeldBack)
        watch.caughtUp()
        #expect(!watch.isAnswerHeldBack)
    }

    @Test("is not held back where no ping left, or all was read since")
    func notHeldBack() {
        var watch = KeepAliveWatch()
        watch.held()
        #expect(!watch.isAnswerHeldBack)
        watch.sent()
        watch.caughtUp()
        watch.held()
        #expect(!watch.isAnswerHeldBack)
    }

    @Test("of a ping that leaves during the hold is held back by it")
    func during() {
        var watch = KeepAliveWatch()
        watch.held()
        watch.sent()
        watch.held()
        #expect(watch.isAnswerHeldBack)
    }
}
