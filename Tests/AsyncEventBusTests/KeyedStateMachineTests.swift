import Testing

@testable import AsyncEventBus

@Suite("KeyedStateMachine")
struct KeyedStateMachineTests {
    @Test("one worker starts at a time, and each one that starts looks whether more are needed, up to the limit")
    func workers() {
        var box = KeyedDriver(capacity: 10, limit: 3)
        for _ in 0..<6 { box.offer() }
        #expect(box.starting == 1)
        box.startWorker()
        #expect(box.running.count == 1 && box.starting == 1)
        box.startAll()
        #expect(box.running.map(\.number) == [0, 1, 2])
        #expect(box.starting == 0)
        #expect(box.machine.count == 3)
        box.settle()
        #expect(box.begun.map(\.number) == Array(0..<6))
        #expect(box.mostRunning == 3)
        #expect(box.machine.isIdle && box.retiredIdle == 1)
    }

    @Test("a worker that finds nothing retires, and the last one says that all is done")
    func retiring() {
        var box = KeyedDriver(capacity: 10, limit: 2)
        box.offer()
        box.offer()
        box.startAll()
        box.finish()
        #expect(box.retiredIdle == 0 && !box.machine.isIdle)
        #expect(box.machine.workersUntilIdle == nil)
        box.finish()
        #expect(box.retiredIdle == 1 && box.machine.isIdle)
        #expect(box.machine.workersUntilIdle == 2)
    }

    @Test("an event that comes while the last worker retires gets a worker of its own")
    func lateArrival() {
        var box = KeyedDriver(capacity: 10, limit: 1)
        box.offer()
        box.startAll()
        box.offer()
        #expect(box.starting == 0)
        box.finish()
        #expect(box.running.map(\.number) == [1])
        box.finish()
        box.offer()
        #expect(box.starting == 1)
    }

    @Test("a key runs once at a time and in order, and holds up no other")
    func keys() {
        var box = KeyedDriver(capacity: 10, limit: 3)
        for key in ["a", "a", "a", "b", "b", "c"] { box.offer(key: key) }
        box.startAll()
        #expect(box.running.map(\.number) == [0, 3, 5])
        box.finish(at: 1)
        #expect(box.running.map(\.number) == [0, 5, 4])
        box.finish(at: 1)
        box.finish(at: 1)
        #expect(box.running.map(\.number) == [0])
        #expect(box.machine.count == 2)
        box.settle()
        #expect(box.begun.map(\.number) == [0, 3, 5, 4, 1, 2])
        #expect(box.machine.isIdle)
    }

    @Test("dropNewest keeps what was accepted")
    func dropNewest() {
        var box = KeyedDriver(capacity: 2, limit: 1, policy: .dropNewest)
        for _ in 0..<5 { box.offer() }
        #expect(box.refused.map(\.number) == [2, 3, 4])
        #expect(box.machine.dropped == 3)
        box.settle()
        #expect(box.begun.map(\.number) == [0, 1])
    }

    @Test("dropOldest keeps what is fresh")
    func dropOldest() {
        var box = KeyedDriver(capacity: 2, limit: 1)
        for _ in 0..<5 { box.offer() }
        #expect(box.displaced.map(\.number) == [0, 1, 2])
        #expect(box.machine.dropped == 3)
        box.settle()
        #expect(box.begun.map(\.number) == [3, 4])
    }

    @Test("a mailbox that is full in bytes discards as many as it takes, and all for one that is larger than its room")
    func bytes() {
        var box = KeyedDriver(capacity: 10, capacityBytes: 100, limit: 1)
        for size in [30, 30, 30] { box.offer(size: size) }
        box.offer(size: 50)
        #expect(box.displaced.map(\.number) == [0, 1] && box.machine.dropped == 2)
        box.offer(size: 20)
        box.offer(size: 1_000)
        #expect(box.displaced.map(\.number) == [0, 1, 2, 3, 4])
        box.offer(size: 1)
        #expect(box.displaced.map(\.number) == [0, 1, 2, 3, 4, 5])
        box.offer(size: 1_000, isKept: true)
        box.offer(size: 99)
        box.settle()
        #expect(box.begun.map(\.number) == [6, 7, 8] && box.machine.dropped == 6)
    }

    @Test("under dropNewest an event that does not fit is discarded, and a smaller one taken")
    func bytesDropNewest() {
        var box = KeyedDriver(capacity: 10, capacityBytes: 100, limit: 1, policy: .dropNewest)
        for size in [60, 50, 40, 1] { box.offer(size: size) }
        #expect(box.refused.map(\.number) == [1, 3])
        box.settle()
        #expect(box.begun.map(\.number) == [0, 2])
    }

    @Test("producers wait for room in bytes, and a large element is not passed by small ones")
    func bytesOfProducers() {
        var box = KeyedDriver(capacity: 10, capacityBytes: 100, limit: 1)
        let areSuspended = zip([60, 50, 1, 200], 1...).map { box.send(size: $0, token: $1).isSuspended }
        #expect(areSuspended == [false, true, true, true])
        box.offer(size: 50)
        #expect(box.refused.map(\.number) == [4], "what was sent does not make room")
        box.offer(size: 40)
        box.offer(size: 30)
        #expect(box.displaced.map(\.number) == [5])
        box.startAll()
        #expect(box.admitted == [2])
        box.settle()
        #expect(box.admitted == [2, 3, 4])
        #expect(box.begun.map(\.number) == [0, 6, 1, 2, 3])
        #expect(box.machine.isIdle)
    }

    @Test("an overflow in bytes is told once, and again only after the mailbox was half empty in bytes as well")
    func bytesEpisodes() {
        var box = KeyedDriver(capacity: 100, capacityBytes: 100, limit: 1)
        for _ in 0..<4 { box.offer(size: 40) }
        #expect([box.machine.beginsOverflow(), box.machine.beginsOverflow()] == [true, false])
        box.offer(size: 40)
        #expect(box.machine.beginsOverflow() == false)
        box.startAll()
        for _ in 0..<2 { box.offer(size: 40) }
        #expect(box.machine.beginsOverflow() == true)
    }

    @Test("what runs takes no room in the mailbox")
    func runningTakesNoRoom() {
        var box = KeyedDriver(capacity: 1, limit: 2)
        box.offer()
        box.startAll()
        box.offer()
        box.startAll()
        box.offer()
        #expect(box.running.count == 2 && box.machine.count == 1 && box.machine.dropped == 0)
        box.offer()
        #expect(box.displaced.map(\.number) == [2])
    }

    @Test("a flood of one key pushes out its own oldest, whether that is next or behind one that runs")
    func dropOldestOfKey() {
        var box = KeyedDriver(capacity: 3, limit: 1)
        for key in ["a", "b", "b"] { box.offer(key: key) }
        box.offer(key: "b")
        #expect(box.displaced.map(\.number) == [1])
        box.offer(key: "b")
        #expect(box.displaced.map(\.number) == [1, 2])
        box.startAll()
        #expect(box.running.map(\.key) == ["a"])
        for _ in 0..<4 { box.offer(key: "a") }
        #expect(box.displaced.map(\.number) == [1, 2, 5, 6, 7])
        box.settle()
        #expect(box.begun.map(\.number) == [0, 3, 8, 4])
        #expect(box.machine.isIdle)
    }

    @Test("a key of which nothing waits pushes out what has waited longest, also behind a key that runs")
    func dropOldestOfAll() {
        var box = KeyedDriver(capacity: 3, limit: 1)
        box.offer(key: "a")
        box.startAll()
        for key in ["a", "b", "a"] { box.offer(key: key) }
        box.offer(key: "c")
        #expect(box.displaced.map(\.number) == [1])
        box.offer(key: "d")
        #expect(box.displaced.map(\.number) == [1, 2])
        box.settle()
        #expect(box.begun.map(\.key) == ["a", "c", "d", "a"] || box.begun.map(\.key) == ["a", "c", "a", "d"])
        #expect(box.machine.isIdle)
    }

    @Test("an overflow is told once, and again only after the mailbox was half empty")
    func overflowEpisodes() {
        var box = KeyedDriver(capacity: 4, limit: 1)
        for _ in 0..<5 { box.offer() }
        #expect(box.machine.beginsOverflow() == true)
        #expect(box.machine.beginsOverflow() == false)
        box.startAll()
        box.offer()
        box.offer()
        #expect(box.machine.beginsOverflow() == false)
        box.finish()
        box.finish()
        for _ in 0..<3 { box.offer() }
        #expect(box.machine.dropped == 3)
        #expect(box.machine.beginsOverflow() == true)
    }

    @Test("producers wait while there is no room, and are let in one by one in the order they came")
    func producers() {
        var box = KeyedDriver(capacity: 2, limit: 1)
        #expect([1, 2, 3, 4, 5].map { box.send(token: $0).isSuspended } == [false, false, true, true, true])
        #expect(box.machine.count == 2)
        #expect(box.machine.sendCancelled(token: 4)?.number == 3)
        #expect(box.machine.sendCancelled(token: 4) == nil)
        #expect(box.machine.sendCancelled(token: 1) == nil)
        box.startAll()
        #expect(box.admitted == [3])
        box.finish()
        #expect(box.admitted == [3, 5])
        box.settle()
        #expect(box.begun.map(\.number) == [0, 1, 2, 4])
        #expect(box.machine.dropped == 0 && box.machine.isIdle)
    }

    @Test("what was sent is not displaced, whatever its key; what is offered is discarded where nothing else waits")
    func sent() {
        var box = KeyedDriver(capacity: 3, limit: 1)
        box.send(key: "a", token: 1)
        box.offer(key: "a")
        box.send(key: "b", token: 2)
        box.offer(key: "a")
        #expect(box.displaced.map(\.number) == [1])
        box.offer(key: "b")
        #expect(box.displaced.map(\.number) == [1, 3])
        box.startAll()
        box.send(key: "c", token: 3)
        // The first of `a` comes back to rest, which takes up room as well.
        box.fail()
        box.offer(key: "b")
        #expect(box.displaced.map(\.number) == [1, 3, 4] && box.refused.isEmpty)
        box.settle()
        #expect(box.machine.isIdle && box.machine.dropped == 3)
        #expect(Set(box.begun.map(\.number)) == [0, 2, 5, 6])
    }

    @Test("closing gives back all that waits, inside and outside, and lets nothing in again")
    func closing() {
        var box = KeyedDriver(capacity: 3, limit: 1)
        box.offer(key: "a")
        box.startAll()
        for key in ["a", "b", "b"] { box.offer(key: key) }
        box.send(key: "c", token: 7)
        let action = box.close()
        #expect(action.discarded.map(\.number).sorted() == [1, 2, 3, 4])
        #expect(action.producers == [7])
        #expect(!action.isIdle)
        box.offer(key: "a")
        #expect(box.send(key: "a", token: 8).isSuspended == false)
        #expect(box.refused.map(\.number) == [5, 6])
        #expect(box.machine.dropped == 0)
        box.finish()
        #expect(box.begun.map(\.number) == [0])
        #expect(box.machine.isIdle && box.retiredIdle == 1)
    }

    @Test("closing before the worker has begun leaves it nothing to do")
    func closingEarly() {
        var box = KeyedDriver(capacity: 3, limit: 1)
        box.offer()
        #expect(box.close().isIdle == false)
        box.startAll()
        #expect(box.begun.isEmpty)
        #expect(box.machine.isIdle && box.retiredIdle == 1)
    }

    @Test("closing an idle mailbox says that it is idle")
    func closingIdle() {
        var box = KeyedDriver(capacity: 3, limit: 1)
        let action = box.close()
        #expect(action.isIdle && action.discarded.isEmpty && action.producers.isEmpty)
    }
}
