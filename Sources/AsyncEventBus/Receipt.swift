import Locking

/// What became of one emit: who took it, when its listeners have finished, when the transports have delivered it.
///
/// Kept by ``EventBus/emitTracked(_:_:attributes:scope:)``; a plain emit pays nothing for it. A receipt may be thrown
/// away at any time.
public final class Receipt: Sendable {
    private struct State {
        var machine = ReceiptStateMachine()
        var waiters: [UInt64: (goal: ReceiptStateMachine.Goal, continuation: CheckedContinuation<Void, any Error>)] =
            [:]
        var nextToken: UInt64 = 0
    }

    /// The identity of the event.
    public let id: EventID
    private let name: EventName
    private let state = Locked(State())

    init(id: EventID, name: EventName) {
        self.id = id
        self.name = name
    }

    /// What happened so far.
    public var summary: ReceiptSummary { state.withLock { $0.machine.summary } }

    /// Returns once every listener that took the event has finished with it, by returning, throwing or being removed.
    ///
    /// - Throws: `CancellationError` only. What listeners threw is counted in ``summary``.
    public func finished() async throws {
        try await wait(for: .finished)
    }

    /// Returns once every transport that took the event has delivered it: as the other side acknowledged it,
    /// or, where it does not, when it was written.
    ///
    /// - Throws: ``EventBusError`` with code ``EventBusError/Code/notRelayed`` if no transport took it; what the first
    ///   transport says that could not deliver it; `CancellationError`.
    public func published() async throws {
        try await wait(for: .published)
        let (taken, refusal) = state.withLock { ($0.machine.summary.relayed, $0.machine.firstRefusal) }
        if let refusal { throw refusal }
        guard taken > 0 else {
            throw EventBusError(
                .notRelayed,
                operation: "publish \"\(name)\"",
                detail: "no attached transport has a route for this name"
            )
        }
    }

    /// For transports: one more delivery is to be awaited. Called from within ``EventRelay/take(_:receipt:)``.
    public func willPublish() {
        apply { $0.willPublish() }
    }

    /// For transports: a delivery announced by ``willPublish()`` is done.
    public func didPublish() {
        apply { $0.didPublish(refusal: nil) }
    }

    /// For transports: a delivery announced by ``willPublish()`` has failed for good.
    public func didRefuse(_ error: any Error) {
        apply { $0.didPublish(refusal: error) }
    }

    func willDeliver() { apply { $0.willDeliver() } }
    func didDeliver(error: (any Error)?) { apply { $0.didDeliver(failed: error != nil) } }
    func didDiscard() { apply { $0.didDiscard() } }
    func didEmit() { apply { $0.didEmit() } }

    private func apply(_ change: (inout ReceiptStateMachine) -> Void) {
        let reached = state.withLock { state in
            change(&state.machine)
            let reached = state.waiters.filter { state.machine.hasReached($0.value.goal) }
            for token in reached.keys { state.waiters[token] = nil }
            return reached.values.map(\.continuation)
        }
        for continuation in reached { continuation.resume() }
    }

    private func wait(for goal: ReceiptStateMachine.Goal) async throws {
        let token = state.withLock { state in
            state.nextToken += 1
            return state.nextToken
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let isDone = state.withLock { state in
                    if state.machine.hasReached(goal) { return true }
                    state.waiters[token] = (goal, continuation)
                    return false
                }
                if isDone { continuation.resume() } else if Task.isCancelled { cancel(token) }
            }
        } onCancel: {
            cancel(token)
        }
    }

    private func cancel(_ token: UInt64) {
        let waiter = state.withLock { $0.waiters.removeValue(forKey: token) }
        waiter?.continuation.resume(throwing: CancellationError())
    }
}

/// What happened to an event so far.
public struct ReceiptSummary: Sendable, Hashable {
    /// Listeners that took it.
    public internal(set) var delivered = 0
    /// Listeners that have finished with it, those that threw included.
    public internal(set) var finished = 0
    /// Listeners that threw or exceeded their time limit.
    public internal(set) var failed = 0
    /// Listeners whose mailbox was full, or that were removed before it was their turn.
    public internal(set) var discarded = 0
    /// Deliveries that transports took on.
    public internal(set) var relayed = 0
    /// Deliveries that transports have done.
    public internal(set) var published = 0
    /// Deliveries that transports have given up.
    public internal(set) var refused = 0
}

/// Counts what a receipt waits for. Pure.
struct ReceiptStateMachine {
    enum Goal: Sendable {
        case finished
        case published
    }

    private(set) var summary = ReceiptSummary()
    private(set) var firstRefusal: (any Error)?
    private var isEmitted = false

    mutating func willDeliver() { summary.delivered += 1 }

    mutating func didDeliver(failed: Bool) {
        summary.finished += 1
        if failed { summary.failed += 1 }
    }

    mutating func didDiscard() {
        summary.delivered -= 1
        summary.discarded += 1
    }

    mutating func willPublish() { summary.relayed += 1 }

    mutating func didPublish(refusal: (any Error)?) {
        guard let refusal else {
            summary.published += 1
            return
        }
        summary.refused += 1
        firstRefusal = firstRefusal ?? refusal
    }

    /// The event has been offered to everybody: the counts can no longer grow.
    mutating func didEmit() { isEmitted = true }

    func hasReached(_ goal: Goal) -> Bool {
        guard isEmitted else { return false }
        return switch goal {
        case .finished: summary.finished == summary.delivered
        case .published: summary.published + summary.refused == summary.relayed
        }
    }
}
