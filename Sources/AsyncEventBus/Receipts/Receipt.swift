import Locking

/// What became of one emit: who took it, when its listeners have finished, when the transports have delivered it.
///
/// ``EventBus/tracked`` returns it. It may be discarded at any time.
public final class Receipt: Sendable {
    private struct State {
        var machine = ReceiptStateMachine()
        var waiters: [Waiter] = []
        var nextToken: UInt64 = 0
    }

    private struct Waiter {
        let token: UInt64
        let goal: ReceiptStateMachine.Goal
        /// Called once, with nothing when the goal is reached, or with the cancellation.
        let resume: @Sendable (CancellationError?) -> Void
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
    ///   transport says that could not deliver it; with code ``EventBusError/Code/postponed`` if the process ends first and
    ///   a transport has it on disk for the next one; `CancellationError`.
    public func published() async throws {
        try await wait(for: .published)
        try publishing.get()
    }

    /// Calls `body` once, on whatever thread, when ``published()`` would return or throw.
    ///
    /// Costs less than a task that waits; not to be used for anything that takes long.
    public func whenPublished(_ body: @escaping @Sendable (Result<Void, any Error>) -> Void) {
        when(.published) { [self] _ in body(publishing) }
    }

    private var publishing: Result<Void, any Error> {
        let (summary, refusal) = state.withLock { ($0.machine.summary, $0.machine.firstRefusal) }
        if let refusal { return .failure(refusal) }
        if summary.postponed > 0 {
            let detail = "it is stored; the next process publishes it"
            return .failure(EventBusError(.postponed, operation: "publish \"\(name)\"", detail: detail))
        }
        guard summary.relayed == 0 else { return .success(()) }
        return .failure(
            EventBusError(
                .notRelayed,
                operation: "publish \"\(name)\"",
                detail: "no attached transport has a route for this name"
            )
        )
    }

    /// Returns once every transport that keeps events until they are delivered has this one on disk.
    ///
    /// From then on a crash of this process does not lose it. It may still be refused: ``published()`` tells.
    ///
    /// - Throws: ``EventBusError`` with code ``EventBusError/Code/notStored`` if no transport keeps it; what the first
    ///   transport says that could not; `CancellationError`.
    public func stored() async throws {
        try await wait(for: .stored)
        try storing.get()
    }

    /// Calls `body` once, on whatever thread, when ``stored()`` would return or throw; as ``whenPublished(_:)``.
    public func whenStored(_ body: @escaping @Sendable (Result<Void, any Error>) -> Void) {
        when(.stored) { [self] _ in body(storing) }
    }

    private var storing: Result<Void, any Error> {
        let (summary, refusal) = state.withLock { ($0.machine.summary, $0.machine.firstStoringRefusal) }
        guard summary.storing == 0 || summary.stored < summary.storing else { return .success(()) }
        return .failure(
            refusal
                ?? EventBusError(
                    .notStored,
                    operation: "store \"\(name)\"",
                    detail: "no attached transport keeps this event"
                )
        )
    }

    func willDeliver() { apply { $0.willDeliver() } }
    func didDeliver(error: (any Error)?) { apply { $0.didDeliver(failed: error != nil) } }
    func didDiscard() { apply { $0.didDiscard() } }
    func didEmit() { apply { $0.didEmit() } }

    func apply(_ change: (inout ReceiptStateMachine) -> Void) {
        let reached = state.withLock { state in
            change(&state.machine)
            guard !state.waiters.isEmpty else { return [Waiter]() }
            let reached = state.waiters.filter { state.machine.hasReached($0.goal) }
            if !reached.isEmpty { state.waiters.removeAll { state.machine.hasReached($0.goal) } }
            return reached
        }
        for waiter in reached { waiter.resume(nil) }
    }

    /// Calls `resume` when the goal is reached, which may be now. Returns what takes it back.
    @discardableResult
    private func when(
        _ goal: ReceiptStateMachine.Goal,
        _ resume: @escaping @Sendable (CancellationError?) -> Void
    ) -> UInt64? {
        let token = state.withLock { state -> UInt64? in
            if state.machine.hasReached(goal) { return nil }
            state.nextToken += 1
            state.waiters.append(Waiter(token: state.nextToken, goal: goal, resume: resume))
            return state.nextToken
        }
        if token == nil { resume(nil) }
        return token
    }

    private func wait(for goal: ReceiptStateMachine.Goal) async throws {
        let token = Locked<UInt64?>(nil)
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let own = when(goal) { error in
                    if let error { continuation.resume(throwing: error) } else { continuation.resume() }
                }
                token.withLock { $0 = own }
                // A cancellation before that found no token to cancel.
                if Task.isCancelled { cancel(own) }
            }
        } onCancel: {
            cancel(token.withLock { $0 })
        }
    }

    private func cancel(_ token: UInt64?) {
        let waiter = state.withLock { state in
            state.waiters.firstIndex { $0.token == token }.map { state.waiters.remove(at: $0) }
        }
        waiter?.resume(CancellationError())
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
    /// Deliveries that transports have on disk and leave to the next process.
    public internal(set) var postponed = 0
    /// Deliveries that transports keep on disk until they are done.
    public internal(set) var storing = 0
    /// Deliveries that came to be on disk, those that are done by now included.
    public internal(set) var stored = 0
}

/// Counts what a receipt waits for. Pure.
struct ReceiptStateMachine {
    enum Goal: Sendable {
        case finished
        case published
        case stored
    }

    private(set) var summary = ReceiptSummary()
    private(set) var firstRefusal: (any Error)?
    /// The first refusal that also ended a storing.
    private(set) var firstStoringRefusal: (any Error)?
    private var unstored = 0
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

    mutating func didPublish() { summary.published += 1 }

    mutating func didPostpone() { summary.postponed += 1 }

    mutating func didRefuse(_ error: any Error, endsStoring: Bool) {
        summary.refused += 1
        firstRefusal = firstRefusal ?? error
        guard endsStoring else { return }
        unstored += 1
        firstStoringRefusal = firstStoringRefusal ?? error
    }

    mutating func willStore() { summary.storing += 1 }

    mutating func didStore() { summary.stored += 1 }

    /// The event has been offered to everybody: the counts can no longer grow.
    mutating func didEmit() { isEmitted = true }

    func hasReached(_ goal: Goal) -> Bool {
        guard isEmitted else { return false }
        return switch goal {
        case .finished: summary.finished == summary.delivered
        case .published: summary.published + summary.refused + summary.postponed == summary.relayed
        case .stored: summary.stored + unstored >= summary.storing
        }
    }
}
