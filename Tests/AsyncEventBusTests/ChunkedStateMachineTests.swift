import Testing

@testable import AsyncEventBus

@Suite("ChunkedStateMachine")
struct ChunkedStateMachineTests {
    private typealias Machine = ChunkedStateMachine<Int>

    private func machine(capacity: Int = 100, limit: Int = 4, policy: OverflowPolicy = .dropOldest) -> Machine {
        Machine(capacity: capacity, limit: limit, policy: policy)
    }

    private func startsWorker(_ action: Machine.Action.Offer) -> Bool {
        switch action {
        case .queued(let startWorker), .displaced(_, _, let startWorker): startWorker
        case .discarded, .closed: false
        }
    }

    private func chunk(_ action: Machine.WorkerAction) throws -> (chunk: Chunk<Int>, startWorker: Bool) {
        guard case .run(let chunk, let startWorker) = action else { throw CancellationError() }
        return (chunk, startWorker)
    }

    private func isRetired(_ action: Machine.WorkerAction, isIdle: Bool) -> Bool {
        if case .retire(isIdle) = action { true } else { false }
    }

    @Test("while calls are short, one worker on duty is enough, until the mailbox is half full")
    func short() throws {
        var machine = machine(capacity: 10)
        _ = machine.offered(0, key: nil)
        let shift = machine.shiftBegan()
        machine.measured(areShort: true)
        let startWorker = try chunk(machine.workerAsked(by: shift)).startWorker
        #expect(!startWorker)
        let starts = (1...6).map { startsWorker(machine.offered($0, key: nil)) }
        #expect(starts == [false, false, false, false, true, false])
    }

    @Test("while calls take long, one worker after the other starts, up to the limit")
    func long() throws {
        var machine = machine(limit: 3)
        let starts = (0..<10).map { startsWorker(machine.offered($0, key: nil)) }
        #expect(starts == [true] + Array(repeating: false, count: 9))
        for started in 1...3 {
            let shift = machine.shiftBegan()
            let (chunk, startWorker) = try chunk(machine.workerAsked(by: shift))
            #expect(chunk.claim() == started - 1 && startWorker == (started < 3))
        }
        #expect(machine.count == 7)
    }

    @Test("however long calls take, and however full the mailbox is, no more keep a thread than there are threads")
    func threads() throws {
        var machine = Machine(capacity: 10, limit: 64, policy: .dropOldest, threads: 2)
        for number in 0..<9 { _ = machine.offered(number, key: nil) }
        let first = machine.shiftBegan()
        let startsSecond = try chunk(machine.workerAsked(by: first)).startWorker
        #expect(startsSecond)
        let second = machine.shiftBegan()
        let startsThird = try chunk(machine.workerAsked(by: second)).startWorker
        #expect(!startsThird && !startsWorker(machine.offered(9, key: nil)))
        // One is suspended, and goes on beside those on duty: its thread is free.
        guard case .begin = machine.shiftLeft(first) else {
            Issue.record("nobody takes the thread")
            return
        }
        #expect(!startsWorker(machine.offered(10, key: nil)))
    }

    @Test("a single event needs one worker, however long its call takes")
    func single() throws {
        var machine = machine()
        _ = machine.offered(0, key: nil)
        let shift = machine.shiftBegan()
        let startWorker = try chunk(machine.workerAsked(by: shift)).startWorker
        #expect(!startWorker)
        #expect(machine.workersUntilIdle == nil && machine.count == 1)
    }

    @Test("what a suspended worker leaves in its chunk is run by another one at once, up to the limit")
    func suspended() throws {
        var machine = machine(limit: 3)
        machine.measured(areShort: true)
        for number in 0..<5 { _ = machine.offered(number, key: nil) }
        var shift = machine.shiftBegan()
        for number in 0..<3 {
            let claimed = try chunk(machine.workerAsked(by: shift)).chunk.claim()
            #expect(claimed == number)
            let action = machine.shiftLeft(shift)
            switch action {
            case .begin(let next) where number < 2: shift = next
            case .end where number == 2: break
            default: Issue.record("after \(number): \(action)")
            }
        }
        #expect(machine.count == 2 && !machine.isIdle)
        // The first that goes on takes what is left.
        let rest = try chunk(machine.workerAsked(by: 1)).chunk.claimAll()
        #expect(rest == [3, 4])
        for worker in 1...3 {
            let action = machine.workerAsked(by: UInt64(worker))
            #expect(isRetired(action, isIdle: worker == 3))
        }
        #expect(machine.isIdle && machine.workersUntilIdle == 3)
    }

    @Test("an event that comes while all workers are suspended gets one of its own")
    func suspendedAll() throws {
        var machine = machine()
        machine.measured(areShort: true)
        _ = machine.offered(0, key: nil)
        let shift = machine.shiftBegan()
        let claimed = try chunk(machine.workerAsked(by: shift)).chunk.claim()
        #expect(claimed == 0)
        guard case .end = machine.shiftLeft(shift) else {
            Issue.record("there was nothing to do")
            return
        }
        let action = machine.offered(1, key: nil)
        #expect(startsWorker(action))
    }

    @Test("a worker that has retired, or whose turn is over, is not taken for one that is suspended")
    func left() throws {
        var machine = machine()
        for number in 0..<2 { _ = machine.offered(number, key: nil) }
        let shift = machine.shiftBegan()
        let chunk = try chunk(machine.workerAsked(by: shift)).chunk
        #expect(chunk.claim() == 0)
        #expect(machine.turnEnded(by: shift) == true)
        guard case .yield(shift) = machine.shiftLeft(shift) else {
            Issue.record("its turn was over")
            return
        }
        #expect(chunk.claim() == 1)
        _ = machine.workerAsked(by: shift)
        guard case .end = machine.shiftLeft(shift) else {
            Issue.record("it had retired")
            return
        }
        #expect(machine.turnEnded(by: shift) == false)
        #expect(machine.turnEnded(by: nil) == false)
    }

    @Test("the oldest is displaced from the chunk that a worker empties, and what it claimed is not")
    func dropOldest() throws {
        var machine = machine(capacity: 3, limit: 1)
        for number in 0..<3 { _ = machine.offered(number, key: nil) }
        machine.workerStarted()
        let chunk = try chunk(machine.workerAsked(by: nil)).chunk
        #expect(chunk.claim() == 0)
        guard case .queued = machine.offered(3, key: nil) else {
            Issue.record("what runs takes no room")
            return
        }
        guard case .displaced(let oldest, let others, _) = machine.offered(4, key: nil), oldest.element == 1,
            oldest.rest == nil, others.isEmpty
        else {
            Issue.record("the oldest was 1")
            return
        }
        #expect(machine.dropped == 1 && machine.count == 3)
        #expect(chunk.claimAll() == [2] && machine.count == 2)
    }

    @Test("closing takes what is left in the chunk as well: no call begins after it")
    func closing() throws {
        var machine = machine(limit: 1)
        for number in 0..<3 { _ = machine.offered(number, key: nil) }
        machine.workerStarted()
        let chunk = try chunk(machine.workerAsked(by: nil)).chunk
        #expect(chunk.claim() == 0)
        _ = machine.offered(3, key: nil)
        let action = machine.closed()
        #expect(action.discarded == [1, 2, 3] && !action.isIdle)
        #expect(chunk.claim() == nil)
        let asked = machine.workerAsked(by: nil)
        #expect(isRetired(asked, isIdle: true))
    }

    @Test("producers are let in as far as a worker has made room")
    func producers() throws {
        var machine = machine(capacity: 2, limit: 1)
        for token in 1...4 { _ = machine.sent(Int(token), key: nil, token: UInt64(token)) }
        guard case .suspended = machine.sentWithRoom(5, key: nil) else {
            Issue.record("there was no room")
            return
        }
        machine.workerStarted()
        let chunk = try chunk(machine.workerAsked(by: nil)).chunk
        #expect(machine.admitted() == [])
        #expect(machine.hasProducers)
        #expect(chunk.claim() == 1)
        #expect(machine.admitted() == [3])
        #expect(chunk.claim() == 2)
        #expect(machine.admitted() == [4])
        #expect(!machine.hasProducers && machine.count == 2)
    }

    @Test("what comes together waits in order where all of it has room, and else changes nothing")
    func together() throws {
        var machine = machine(capacity: 4)
        var startsWorker = machine.offeredTogether([0, 1, 2, 3, 4])
        #expect(startsWorker == nil && machine.count == 0)
        startsWorker = machine.offeredTogether([0, 1])
        #expect(startsWorker == true)
        startsWorker = machine.offeredTogether([2, 3])
        #expect(startsWorker == false)
        startsWorker = machine.offeredTogether([4])
        #expect(startsWorker == nil && machine.count == 4)
        let first = try chunk(machine.workerAsked(by: machine.shiftBegan())).chunk
        #expect(first.claim() == 0)
        startsWorker = machine.offeredTogether([4])
        #expect(startsWorker != nil && first.claimAll() == [1, 2, 3])
        let second = try chunk(machine.workerAsked(by: nil)).chunk
        #expect(second.claimAll() == [4])
    }

    @Test("what comes together is not taken by a closed mailbox, and one by one where there are keys")
    func notTogether() {
        var closed = machine()
        _ = closed.closed()
        var keyed = KeyedStateMachine<Int>(capacity: 4, limit: 4, policy: .dropOldest)
        let answers = [closed.offeredTogether([0]), keyed.offeredTogether([0])]
        #expect(answers == [nil, nil] && closed.count == 0 && keyed.count == 0)
    }

    @Test("what comes together when the mailbox is half empty ends an overflow")
    func togetherEndsOverflow() throws {
        var machine = machine(capacity: 4)
        for number in 0..<5 { _ = machine.offered(number, key: nil) }
        let begins = [machine.beginsOverflow(), machine.beginsOverflow()]
        #expect(begins == [true, false])
        let chunk = try chunk(machine.workerAsked(by: machine.shiftBegan())).chunk
        #expect(chunk.claimAll().count == 4)
        _ = machine.offeredTogether([5])
        let beginsAgain = machine.beginsOverflow()
        #expect(beginsAgain)
    }
}
