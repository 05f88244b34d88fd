import AsyncEventBus
import MessageStore
import TestSupport
import Testing

@testable import MQTTBridge

@Suite("Store work")
struct StoreWorkTests {
    private func work(_ policy: StorePolicy = .block, messages: Int = 1_000_000, bytes: Int = 1 << 40) -> StoreWork {
        var options = StoreOptions()
        options.policy = policy
        options.limits = StoreLimits(messages: messages, bytes: bytes)
        return StoreWork(gauge: StoreGauge(options, routes: [.limited("r", nil)]))
    }

    @Test("whoever opens the store is woken once until it comes, and again where it is more urgent")
    func waking() {
        let work = work()
        let woken = Locked<[StoreWork.Urgency]>([])
        work.onWake { urgency in woken.withLock { $0.append(urgency) } }
        work.add(.soon) { _ in }
        work.add(.soon) { _ in }
        work.add(.now) { _ in }
        work.add(.soon) { _ in }
        #expect(woken.withLock { $0 } == [.soon, .now])
        _ = work.take()
        _ = work.offer(.sample(route: "r"))
        #expect(woken.withLock { $0 } == [.soon, .now, .now])
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
            work.withGauge { $0.evictions(changes.crowds) } == [
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
        work.add { $0.letters = [] }
        #expect(work.isEmpty)
    }
}
