@testable import AsyncEventBus

/// Plays the part of a mailbox around its state machine: starts workers, lets them ask, and keeps a record of it all.
struct MailboxDriver {
    struct Letter: Sendable, Equatable {
        let number: Int
        let key: String?
    }

    var machine: MailboxStateMachine<Letter>
    /// Workers that were asked for and have not begun.
    private(set) var starting = 0
    /// What the workers run now.
    private(set) var running: [Letter] = []
    /// What was begun, in that order.
    private(set) var begun: [Letter] = []
    private(set) var displaced: [Letter] = []
    private(set) var refused: [Letter] = []
    private(set) var admitted: [UInt64] = []
    private(set) var mostRunning = 0
    private(set) var retiredIdle = 0
    private var nextNumber = 0

    init(capacity: Int, limit: Int, policy: OverflowPolicy = .dropOldest) {
        machine = MailboxStateMachine(capacity: capacity, limit: limit, policy: policy)
    }

    @discardableResult
    mutating func offer(key: String? = nil) -> Letter {
        let letter = make(key)
        switch machine.offered(letter, key: key) {
        case .queued(let startWorker):
            starting += startWorker ? 1 : 0
        case .displaced(let oldest, let startWorker):
            displaced.append(oldest)
            starting += startWorker ? 1 : 0
        case .discarded, .closed:
            refused.append(letter)
        }
        return letter
    }

    /// Returns whether the producer has to wait.
    @discardableResult
    mutating func send(key: String? = nil, token: UInt64) -> (letter: Letter, isSuspended: Bool) {
        let letter = make(key)
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
        ask(finished: running.remove(at: position).key)
    }

    /// Starts and finishes until nothing is left to do.
    mutating func settle() {
        while starting > 0 || !running.isEmpty {
            if starting > 0 { startWorker() } else { finish() }
        }
    }

    mutating func startAll() {
        while starting > 0 { startWorker() }
    }

    private mutating func ask(finished: String?) {
        switch machine.workerAsked(finished: finished) {
        case .run(let letter, let key, let startWorker, let token):
            precondition(letter.key == key)
            starting += startWorker ? 1 : 0
            running.append(letter)
            begun.append(letter)
            mostRunning = max(mostRunning, running.count)
            if let token { admitted.append(token) }
        case .retire(let isIdle):
            retiredIdle += isIdle ? 1 : 0
        }
    }

    private mutating func make(_ key: String?) -> Letter {
        defer { nextNumber += 1 }
        return Letter(number: nextNumber, key: key)
    }
}
