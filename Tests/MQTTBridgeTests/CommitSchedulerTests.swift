import TestSupport
import Testing

@testable import MQTTBridge

@Suite("Commit scheduler")
struct CommitSchedulerTests {
    @Test("what can wait is committed once, and waits on while something else commits")
    func soon() async throws {
        let (scheduler, target) = (CommitScheduler(), CommitTargetProbe(waits: [8, 9]))
        scheduler.start(target)
        for _ in 0..<10 { scheduler.schedule(.soon) }
        try await until { target.commitCalls > 0 }
        #expect(target.asked == [7, 8, 9])
        #expect(target.commitCalls == 1)
    }

    @Test("what comes when the wait is over is committed by another one")
    func again() async throws {
        let (scheduler, target) = (CommitScheduler(), CommitTargetProbe())
        scheduler.start(target)
        scheduler.schedule(.soon)
        try await until { target.commitCalls == 1 }
        scheduler.schedule(.soon)
        try await until { target.commitCalls == 2 }
    }

    @Test("a store that fails several times meanwhile is tried again once")
    func retrying() async throws {
        let (scheduler, target) = (CommitScheduler(), CommitTargetProbe())
        scheduler.start(target)
        for failures in 1...3 { scheduler.retry(afterFailures: failures) }
        try await until { target.retries > 0 }
        #expect(target.retries == 1)
    }

    @Test("a broker is read on for at the earliest of its times, and each broker at its own")
    func reading() async throws {
        let (scheduler, target) = (CommitScheduler(), CommitTargetProbe())
        scheduler.start(target)
        scheduler.readOn(for: "a", after: .milliseconds(30))
        scheduler.readOn(for: "a", after: .milliseconds(40))
        scheduler.readOn(for: "b", after: .milliseconds(60))
        try await until { target.reads.contains("b") }
        #expect(target.reads == ["a", "b"])
    }

    @Test("what was scheduled without a target is not in the way of what comes later")
    func withoutTarget() async throws {
        let scheduler = CommitScheduler()
        scheduler.schedule(.soon)
        let target = CommitTargetProbe()
        scheduler.start(target)
        scheduler.stop()
        scheduler.schedule(.soon)
        scheduler.start(target)
        scheduler.schedule(.soon)
        try await until { target.commitCalls > 0 }
        #expect(target.asked == [7])
    }

    @Test("the target is not kept alive")
    func lifetime() {
        let scheduler = CommitScheduler()
        var target: CommitTargetProbe? = CommitTargetProbe()
        weak let reference = target
        scheduler.start(target!)
        target = nil
        #expect(reference == nil)
        withExtendedLifetime(scheduler) {}
    }
}
