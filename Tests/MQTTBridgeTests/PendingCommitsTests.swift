import AsyncEventBus
import MessageStore
import TestSupport
import Testing

@testable import MQTTBridge

@Suite("Pending commits")
struct PendingCommitsTests {
    private func work(
        _ policy: StorePolicy = .block,
        messages: Int = 1_000_000,
        bytes: Int = 1 << 40,
        scheduler: CommitScheduler = CommitScheduler()
    ) -> PendingCommits {
        var options = StoreOptions()
        options.policy = policy
        options.limits = StoreLimits(messages: messages, bytes: bytes)
        return PendingCommits(gauge: StoreGauge(options, routes: [.limited("r", nil)]), scheduler: scheduler)
    }

    @Test("one commit is scheduled for all changes until it takes them, and one more for what comes after it")
    func scheduling() async throws {
        let (scheduler, target) = (CommitScheduler(), CommitTargetProbe())
        scheduler.start(target)
        let work = work(scheduler: scheduler)
        for _ in 0..<10 { work.add(.now) { _ in } }
        work.add(.soon) { _ in }
        // The calls come one after the other: one that is too much would be counted by then.
        scheduler.schedule(.now)
        try await until { target.commitCalls >= 2 }
        #expect(target.commitCalls == 2)
        _ = work.take()
        _ = work.offer(.sample(route: "r"))
        scheduler.schedule(.now)
        try await until { target.commitCalls >= 4 }
        #expect(target.commitCalls == 4)
    }

    @Test("emits wait for the store up to a number and to a size, whatever the policy", arguments: StorePolicy.allCases)
    func pending(policy: StorePolicy) {
        let work = work(policy)
        for _ in 0..<PendingChanges.departureLimit { #expect(work.offer(.sample(route: "r")) == .accept) }
        #expect(work.offer(.sample(route: "r")) == .wait)
        #expect(work.take().departures.count == PendingChanges.departureLimit)
        #expect(work.offer(.sample(route: "r", payload: PendingChanges.departureBytes * 2)) == .accept)
        #expect(work.offer(.sample(route: "r")) == .wait)
    }

    @Test("a full store answers by its policy, and what it refuses is not counted")
    func policies() {
        let verdicts: [StorePolicy: StoreGauge.Verdict] = [.block: .wait, .reject: .reject, .dropNewest: .drop]
        for (policy, expected) in verdicts {
            let work = work(policy, messages: 1)
            #expect(work.offer(.sample(route: "r")) == .accept)
            #expect(work.offer(.sample(route: "r")) == expected)
            #expect(work.take().departures.count == 1)
            #expect(work.withGauge { $0.messages(.outbound) } == 1)
        }
        let work = work(.dropOldest, messages: 1)
        for _ in 0..<3 { _ = work.offer(.sample(route: "r")) }
        let changes = work.take()
        #expect(changes.departures.count == 3)
        #expect(
            work.withGauge { $0.evictions(changes.evictionScopes) } == [
                .oldest(.outbound, route: nil, messages: 2, bytes: 0)
            ]
        )
    }

    @Test("who waits for room goes on when emits that waited were stored, although nothing left the store")
    func roomAmongPending() async throws {
        let work = work()
        for _ in 0..<PendingChanges.departureLimit { _ = work.offer(.sample(route: "r")) }
        let waiter = Task { try await work.waitForRoom(route: "r", size: 100) }
        _ = work.take()
        work.admitWaiters()
        try await withTimeLimit(.seconds(30)) { try await waiter.value }
    }

    @Test("where only the emits on their way were too many, who waits goes on when half of them are stored, not more")
    func roomInBusyStore() async throws {
        // Nine tenths are taken when all is stored: never full, and never with a quarter free.
        let work = work(messages: 40_000)
        work.withGauge { $0.add(.outbound, route: "r", messages: 26_000, bytes: 0) }
        for _ in 0..<PendingChanges.departureLimit { _ = work.offer(.sample(route: "r")) }
        #expect(work.offer(.sample(route: "r")) == .wait)
        let (executor, areOn) = (StepExecutor(), Locked(0))
        let waiters = [100, 200].map { size in
            Task(executorPreference: executor) {
                try await work.waitForRoom(route: "r", size: size)
                areOn.withLock { $0 += 1 }
            }
        }
        executor.step()
        // A commit that failed.
        work.putBack(work.take())
        work.admitWaiters()
        executor.step()
        #expect(areOn.withLock { $0 } == 0)
        _ = work.take()
        work.admitWaiters()
        executor.step()
        #expect(areOn.withLock { $0 } == 2)
        for waiter in waiters { try await withTimeLimit(.seconds(30)) { try await waiter.value } }
    }

    @Test("who found the store full waits until a quarter of it is free, whatever is on its way")
    func roomInFullStore() async throws {
        let work = work(messages: 100)
        for _ in 0..<100 { _ = work.offer(.sample(route: "r")) }
        let executor = StepExecutor()
        let isOn = Locked(false)
        let waiter = Task(executorPreference: executor) {
            try await work.waitForRoom(route: "r", size: 1)
            isOn.withLock { $0 = true }
        }
        executor.step()
        _ = work.take()
        for left in (0..<100).reversed() {
            work.withGauge { $0.remove(.outbound, route: "r", bytes: PendingPublish.sample(route: "r").record.size) }
            work.admitWaiters()
            executor.step()
            #expect(isOn.withLock { $0 } == (left <= 75), "\(left) left")
        }
        try await waiter.value
    }

    @Test("who waits with a large message is not told that there is room where it does not fit")
    func roomForLarge() async throws {
        let work = work()
        _ = work.offer(.sample(route: "r", payload: PendingChanges.departureBytes / 2))
        let waiter = Task { try await work.waitForRoom(route: "r", size: PendingChanges.departureBytes) }
        for _ in 0..<100 {
            await Task.yield()
            work.admitWaiters()
        }
        waiter.cancel()
        await #expect(throws: CancellationError.self) {
            try await withTimeLimit(.seconds(30)) { try await waiter.value }
        }
    }

    @Test("after the end nothing is taken, and nobody waits")
    func closed() async throws {
        let work = work(messages: 1)
        _ = work.offer(.sample(route: "r"))
        let waiters = [Task { try await work.waitForRoom(route: "r", size: 1) }, Task { await work.committed() }]
        for _ in 0..<100 { await Task.yield() }
        #expect(work.close().departures.count == 1)
        for waiter in waiters { try await withTimeLimit(.seconds(30)) { try await waiter.value } }
        try await withTimeLimit(.seconds(30)) {
            await work.committed()
            try await work.waitForRoom(route: "r", size: 1)
        }
        #expect(work.offer(.sample(route: "r")) == nil)
        work.add { $0.reads.outbound = ["b"] }
        #expect(work.isEmpty)
    }
}
