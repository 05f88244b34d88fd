import Testing

@testable import AsyncEventBus

@Suite("KeyedStateMachine: what rests, and what is kept")
struct KeyedStateMachineRetryTests {
    @Test("what rests gives its worker back, and holds up its own key and no other, however many keys fail")
    func keys() {
        var box = KeyedDriver(capacity: 20, limit: 2)
        for key in ["a", "b", "c", "d"] { for _ in 0..<2 { box.offer(key: key) } }
        box.startAll()
        for _ in 0..<3 { box.fail() }
        #expect(box.resting.map(\.letter.key) == ["a", "b", "c"])
        #expect(box.running.map(\.key) == ["d"])
        box.finish()
        #expect(box.running.map(\.number) == [7])
        box.finish()
        #expect(box.running.isEmpty && !box.machine.isIdle && box.machine.count == 6)
        box.wake(at: 1)
        box.startAll()
        #expect(box.running.map(\.number) == [2])
        box.finish()
        #expect(box.running.map(\.number) == [3])
        box.settle()
        #expect(box.begun.map(\.number).filter { $0 < 2 } == [0, 0, 1])
        #expect(box.machine.isIdle)
    }

    @Test("a serial listener waits for what rests, and goes on with it")
    func serial() {
        var box = KeyedDriver(capacity: 20, limit: 1)
        for _ in 0..<3 { box.offer() }
        box.startAll()
        box.fail()
        box.offer()
        #expect(box.running.isEmpty && box.starting == 0)
        box.wake()
        #expect(box.starting == 1)
        box.startAll()
        box.fail()
        box.settle()
        #expect(box.begun.map(\.number) == [0, 0, 0, 1, 2, 3])
        #expect(box.machine.isIdle)
    }

    @Test("a rest that ends before the worker asks again is not missed")
    func shortRest() {
        var machine = KeyedStateMachine<Int>(capacity: 4, limit: 1, policy: .dropOldest)
        _ = machine.offered(7, key: nil)
        machine.workerStarted()
        guard case .run(let item, _, _) = machine.workerAsked(finished: nil), let rest = machine.pauseBegan(item) else {
            Issue.record("it did not run")
            return
        }
        #expect(machine.pauseEnded(rest) == false)
        guard case .run(let again, _, _) = machine.workerAsked(finished: nil) else {
            Issue.record("it did not run again")
            return
        }
        #expect(again.element == 7)
        #expect(machine.pauseEnded(rest) == false)
    }

    @Test("what rests takes up room, and goes first when there is none: then others may run")
    func displacedRest() {
        var box = KeyedDriver(capacity: 2, limit: 1)
        box.offer()
        box.startAll()
        box.fail()
        box.offer()
        #expect(box.machine.count == 2 && box.starting == 0)
        box.offer()
        #expect(box.displaced.map(\.number) == [0] && box.resting.isEmpty)
        #expect(box.starting == 1)
        box.settle()
        #expect(box.begun.map(\.number) == [0, 1, 2])
    }

    @Test("a producer waits while what rests takes up the room")
    func producer() {
        var box = KeyedDriver(capacity: 1, limit: 1, policy: .dropNewest)
        box.offer()
        box.startAll()
        box.fail()
        #expect(box.send(token: 1).isSuspended)
        box.offer()
        #expect(box.refused.map(\.number) == [2])
        box.settle()
        #expect(box.admitted == [1] && box.begun.map(\.number) == [0, 0, 1])
    }

    @Test("what is kept waits in a full mailbox, is never displaced, and takes up no room", arguments: [nil, "k"])
    func kept(key: String?) {
        var box = KeyedDriver(capacity: 2, limit: 1)
        for _ in 0..<3 { box.offer(key: key, isKept: true) }
        for _ in 0..<2 { box.offer(key: key) }
        #expect(box.machine.dropped == 0 && box.machine.count == 5)
        box.offer(key: key, isKept: true)
        box.offer(key: key)
        #expect(box.displaced.map(\.number) == [3] && box.machine.dropped == 1)
        box.startAll()
        box.fail()
        for _ in 0..<4 { box.offer(key: key) }
        #expect(box.displaced.map(\.number) == [3, 4, 6, 7, 8])
        box.settle()
        #expect(box.begun.map(\.number) == [0, 0, 1, 2, 5, 9, 10])
        #expect(box.machine.isIdle)
    }

    @Test("taking out what is kept lets no producer in; taking out another does")
    func keptAndProducers() {
        var box = KeyedDriver(capacity: 1, limit: 1)
        box.offer(isKept: true)
        box.offer()
        #expect(box.send(token: 1).isSuspended)
        box.startAll()
        #expect(box.admitted.isEmpty)
        box.finish()
        #expect(box.admitted == [1])
        box.settle()
        #expect(box.begun.map(\.number) == [0, 1, 2])
    }

    @Test("a flood of one key passes over what is kept of that key, and then takes the oldest of all")
    func keptOfKey() {
        var box = KeyedDriver(capacity: 2, limit: 1)
        box.offer(key: "a", isKept: true)
        box.offer(key: "b")
        box.offer(key: "c")
        box.offer(key: "a")
        #expect(box.displaced.map(\.number) == [1])
        box.offer(key: "a")
        #expect(box.displaced.map(\.number) == [1, 3])
        box.settle()
        #expect(Set(box.begun.map(\.number)) == [0, 2, 4])
    }

    @Test("closing ends what rests, and what fails afterwards does not rest")
    func closing() {
        var box = KeyedDriver(capacity: 4, limit: 2)
        for key in ["a", "a", "b"] { box.offer(key: key) }
        box.startAll()
        box.fail()
        let rests = box.resting.map(\.rest)
        let action = box.close()
        #expect(action.rests == rests && action.discarded.map(\.number).sorted() == [0, 1])
        #expect(rests.map { box.machine.pauseEnded($0) } == [false])
        #expect(box.fail() == false)
        #expect(box.machine.isIdle && box.begun.map(\.number) == [0, 2])
    }
}
