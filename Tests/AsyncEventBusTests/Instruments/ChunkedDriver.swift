@testable import AsyncEventBus

/// Plays the part of a mailbox around its state machine: workers that take chunks, claim elements, are suspended in
/// calls, and give up their threads. Keeps a record of it all.
struct ChunkedDriver {
    struct Letter: Sized, Equatable {
        let number: Int
        let size: Int
    }

    enum Step {
        /// A chunk of so many elements was made.
        case handedOut(Int, Standing)
        case claimed(Letter)
        /// The producer of that token was let in.
        case admitted(UInt64)
    }

    /// A worker in a call.
    struct Worker {
        let shift: UInt64?
        let chunk: Chunk<Letter>
        /// Whether it still has the thread on which its shift began.
        var isOnDuty: Bool
    }

    var machine: ChunkedStateMachine<Letter>
    /// What workers did, in that order; emptied by ``takeSteps()``.
    private var steps: [Step] = []
    /// Workers that were asked for and have not begun.
    private(set) var starting = 0
    private(set) var working: [Worker] = []
    /// Shifts that go on when other workers have had the thread.
    private(set) var paused: [UInt64] = []
    private(set) var retiredIdle = 0
    private var latestChunk: Chunk<Letter>?
    private var nextNumber = 0

    var workers: Int { starting + working.count + paused.count }

    /// Whether a worker will look for elements without having to wait for a call that is suspended.
    var isAttended: Bool { starting > 0 || !paused.isEmpty || working.contains(where: \.isOnDuty) }

    init(_ machine: ChunkedStateMachine<Letter>) {
        self.machine = machine
    }

    mutating func takeSteps() -> [Step] {
        defer { steps = [] }
        return steps
    }

    mutating func letter(size: Int) -> Letter {
        defer { nextNumber += 1 }
        return Letter(number: nextNumber, size: size)
    }

    // MARK: Elements come in and go

    /// Returns whether it was taken, and the letters that made room for it.
    mutating func offer(_ letter: Letter, isKept: Bool = false) -> (isTaken: Bool, displaced: [Letter]) {
        switch machine.offered(letter, key: nil, isKept: isKept) {
        case .queued(let startWorker):
            starting += startWorker ? 1 : 0
            return (true, [])
        case .displaced(let first, let others, let startWorker):
            starting += startWorker ? 1 : 0
            return (true, ([first] + others).map(\.element))
        case .discarded, .closed:
            return (false, [])
        }
    }

    /// Returns whether all were taken at once.
    mutating func offerTogether(_ letters: [Letter]) -> Bool {
        guard let startWorker = machine.offeredTogether(letters) else { return false }
        starting += startWorker ? 1 : 0
        return true
    }

    /// Returns whether the producer has to wait.
    mutating func send(_ letter: Letter, token: UInt64) -> Bool {
        var action = machine.sentWithRoom(letter, key: nil)
        if case .suspended = action { action = machine.sent(letter, key: nil, token: token) }
        guard case .queued(let startWorker) = action else { return true }
        starting += startWorker ? 1 : 0
        return false
    }

    mutating func withdraw(_ numbers: Set<Int>) -> [Letter] {
        let action = machine.withdrawn { numbers.contains($0.number) }
        precondition(action.rests.isEmpty)
        starting += action.startWorker ? 1 : 0
        return action.elements
    }

    // MARK: Workers

    mutating func startWorker() {
        starting -= 1
        guard machine.workers.limit > 1 else {
            machine.workerStarted()
            return goOn(nil, chunk: nil, isOnDuty: false)
        }
        goOn(machine.shiftBegan(), chunk: nil, isOnDuty: true)
    }

    /// The call of a worker returns; it goes on.
    mutating func finish(at position: Int = 0) {
        let worker = working.remove(at: position)
        goOn(worker.shift, chunk: worker.chunk, isOnDuty: worker.isOnDuty)
    }

    /// The call of a worker leaves the thread.
    mutating func suspend(at position: Int) {
        guard working[position].isOnDuty, let shift = working[position].shift else { return }
        working[position].isOnDuty = false
        left(shift)
    }

    /// The call of a worker returns, and its turn is over.
    mutating func endTurn(at position: Int) {
        let worker = working[position]
        precondition(machine.turnEnded(by: worker.shift) == worker.isOnDuty)
        guard worker.isOnDuty, let shift = worker.shift else { return finish(at: position) }
        working.remove(at: position)
        left(shift)
    }

    /// Others have had the thread of a worker whose turn was over.
    mutating func resumeShift() {
        goOn(paused.removeFirst(), chunk: nil, isOnDuty: true)
    }

    /// Starts and finishes until nothing is left to do.
    mutating func settle() {
        while workers > 0 {
            if starting > 0 { startWorker() } else if !paused.isEmpty { resumeShift() } else { finish() }
        }
    }

    private mutating func left(_ shift: UInt64) {
        switch machine.shiftLeft(shift) {
        case .end: break
        case .yield(let same): paused.append(same)
        case .begin(let next): goOn(next, chunk: nil, isOnDuty: true)
        }
    }

    /// A worker claims what it runs next, or retires.
    private mutating func goOn(_ shift: UInt64?, chunk: Chunk<Letter>?, isOnDuty: Bool) {
        var chunk = chunk
        while true {
            if let chunk, let letter = chunk.claim() {
                steps.append(.claimed(letter))
                working.append(Worker(shift: shift, chunk: chunk, isOnDuty: isOnDuty))
                return admit()
            }
            guard case .run(let next, let startWorker) = retiring(machine.workerAsked(by: shift)) else { break }
            starting += startWorker ? 1 : 0
            if next !== latestChunk { steps.append(.handedOut(next.remaining, next.standing)) }
            latestChunk = next
            chunk = next
        }
        if isOnDuty, let shift { left(shift) }
    }

    private mutating func retiring(
        _ action: ChunkedStateMachine<Letter>.WorkerAction
    ) -> ChunkedStateMachine<Letter>.WorkerAction {
        if case .retire(isIdle: true) = action { retiredIdle += 1 }
        return action
    }

    private mutating func admit() {
        guard machine.hasProducers else { return }
        steps += machine.admitted().map { .admitted($0) }
        starting += machine.startsWorker() ? 1 : 0
    }
}
