@testable import AsyncEventBus

/// Plays the part of a mailbox around its state machine: starts workers, lets them ask, and keeps a record of it all.
struct KeyedDriver {
    struct Letter: Sized, Equatable {
        let number: Int
        let key: String?
        var size = 1
    }

    var machine: KeyedStateMachine<Letter>
    /// Workers that were asked for and have not begun.
    private(set) var starting = 0
    private var items: [KeyedStateMachine<Letter>.Item] = []
    /// What rests before another attempt, by what names the rest.
    private(set) var resting: [(rest: UInt64, letter: Letter)] = []
    /// What was begun, in that order.
    private(set) var begun: [Letter] = []
    private(set) var displaced: [Letter] = []
    private(set) var refused: [Letter] = []
    private(set) var admitted: [UInt64] = []
    private(set) var mostRunning = 0
    private(set) var retiredIdle = 0
    private var nextNumber = 0

    /// What the workers run now.
    var running: [Letter] { items.map(\.element) }

    init(capacity: Int, capacityBytes: Int = .max, limit: Int, policy: OverflowPolicy = .dropOldest) {
        machine = KeyedStateMachine(capacity: capacity, capacityBytes: capacityBytes, limit: limit, policy: policy)
    }

    @discardableResult
    mutating func offer(key: String? = nil, size: Int = 1, isKept: Bool = false) -> Letter {
        let letter = make(key, size)
        switch machine.offered(letter, key: key, isKept: isKept) {
        case .queued(let startWorker):
            starting += startWorker ? 1 : 0
        case .displaced(let first, let others, let startWorker):
            for oldest in [first] + others {
                let isRest = resting.contains { $0.rest == oldest.rest && $0.letter == oldest.element }
                precondition(isRest == (oldest.rest != nil))
                resting.removeAll { $0.rest == oldest.rest }
                displaced.append(oldest.element)
            }
            starting += startWorker ? 1 : 0
        case .discarded, .closed:
            refused.append(letter)
        }
        return letter
    }

    /// Returns whether the producer has to wait.
    @discardableResult
    mutating func send(key: String? = nil, size: Int = 1, token: UInt64) -> (letter: Letter, isSuspended: Bool) {
        let letter = make(key, size)
        switch machine.sent(letter, key: key, token: token) {
        case .queued(let startWorker):
            starting += startWorker ? 1 : 0
        case .suspended:
            return (letter, true)
        case .closed:
            refused.append(letter)
        }
        return (letter, false)
    }

    mutating func startWorker() {
        starting -= 1
        machine.workerStarted()
        ask(finished: nil)
    }

    mutating func finish(at position: Int = 0) {
        ask(finished: items.remove(at: position).key)
    }

    /// What runs there failed, and is to be tried again. Returns whether it rests now.
    @discardableResult
    mutating func fail(at position: Int = 0) -> Bool {
        let item = items.remove(at: position)
        let rest = machine.pauseBegan(item)
        if let rest { resting.append((rest, item.element)) }
        ask(finished: rest == nil ? item.key : nil)
        return rest != nil
    }

    mutating func wake(at position: Int = 0) {
        let (rest, _) = resting.remove(at: position)
        precondition(machine.isPausing(rest))
        starting += machine.pauseEnded(rest) ? 1 : 0
        precondition(!machine.isPausing(rest))
    }

    /// Starts, wakes and finishes until nothing is left to do.
    mutating func settle() {
        while starting > 0 || !running.isEmpty || !resting.isEmpty {
            if starting > 0 { startWorker() } else if !running.isEmpty { finish() } else { wake() }
        }
    }

    /// Takes back what waits or rests and whose number satisfies a condition. Returns their numbers.
    mutating func withdraw(where isMeant: (Int) -> Bool) -> [Int] {
        let action = machine.withdrawn { isMeant($0.number) }
        precondition(action.rests.sorted() == resting.filter { isMeant($0.letter.number) }.map(\.rest).sorted())
        resting.removeAll { isMeant($0.letter.number) }
        starting += action.startWorker ? 1 : 0
        return action.elements.map(\.number)
    }

    /// Closes the machine. Nothing rests any more.
    mutating func close() -> MailboxAction<Letter>.Close {
        let action = machine.closed()
        precondition(action.rests.sorted() == resting.map(\.rest).sorted())
        resting = []
        return action
    }

    mutating func startAll() {
        while starting > 0 { startWorker() }
    }

    private mutating func ask(finished: String?) {
        switch machine.workerAsked(finished: finished) {
        case .run(let item, let startWorker, let token):
            let letter = item.element
            precondition(letter.key == item.key)
            starting += startWorker ? 1 : 0
            items.append(item)
            begun.append(letter)
            mostRunning = max(mostRunning, running.count)
            if let token { admitted.append(token) }
        case .retire(let isIdle):
            retiredIdle += isIdle ? 1 : 0
        }
    }

    private mutating func make(_ key: String?, _ size: Int) -> Letter {
        defer { nextNumber += 1 }
        return Letter(number: nextNumber, key: key, size: size)
    }
}
