import Locking

/// The outcome of one emit: the receivers that took the event, and the progress of listeners and transports.
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
        /// Called once: with nil when the goal is reached, or with the cancellation.
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

    /// The outcome so far.
    public var summary: ReceiptSummary { state.withLock { $0.machine.summary } }

    /// Returns once every listener that took the event has returned, thrown or been removed.
    ///
    /// - Throws: `CancellationError` only. ``summary`` counts the listeners that threw.
    public func finished() async throws {
        try await wait(for: .finished)
    }

    /// Returns once every transport that took the event has delivered it: when the other side has acknowledged it or,
    /// without acknowledgements, when it was written.
    ///
    /// - Throws: ``EventBusError`` with code ``EventBusError/Code/notRelayed`` if no transport took it; the error of
    ///   the first transport that could not deliver it; ``EventBusError`` with code ``EventBusError/Code/postponed`` if
    ///   the process ends first and a transport has it on disk for the next one; `CancellationError`.
    public func published() async throws {
        try await wait(for: .published)
        try publishing.get()
    }

    /// Calls `body` once, on any thread, when ``published()`` would return or throw.
    ///
    /// Cheaper than a waiting task. `body` must return quickly.
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

    /// Returns once every transport that stores events until their delivery has this one on disk.
    ///
    /// From then on, a crash of this process does not lose it. A transport may still refuse it: see ``published()``.
    ///
    /// - Throws: ``EventBusError`` with code ``EventBusError/Code/notStored`` if no transport stores it; the error of
    ///   the first transport that could not; `CancellationError`.
    public func stored() async throws {
        try await wait(for: .stored)
        try storing.get()
    }

    /// Calls `body` once, on any thread, when ``stored()`` would return or throw; see ``whenPublished(_:)``.
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

    /// Calls `resume` when the goal is reached, possibly at once. Returns a token to cancel the wait.
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
                // An earlier cancellation found no token.
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

/// The outcome of an emit so far.
public struct ReceiptSummary: Sendable, Hashable {
    /// Listeners that took it.
    public internal(set) var delivered = 0
    /// Listeners that have finished with it, failed ones included.
    public internal(set) var finished = 0
    /// Listeners that threw or exceeded their time limit.
    public internal(set) var failed = 0
    /// Listeners whose mailbox was full, or that were removed before their call.
    public internal(set) var discarded = 0
    /// Deliveries that transports accepted.
    public internal(set) var relayed = 0
    /// Deliveries that transports completed.
    public internal(set) var published = 0
    /// Of these, deliveries of which the other side has said that nobody there receives the event.
    public internal(set) var unheard = 0
    /// Deliveries that failed for good.
    public internal(set) var refused = 0
    /// Deliveries on disk that transports leave to the next process.
    public internal(set) var postponed = 0
    /// Deliveries that transports store on disk until they complete.
    public internal(set) var storing = 0
    /// Deliveries that have been stored on disk, completed ones included.
    public internal(set) var stored = 0
}

/// Counts the deliveries of one emit, and decides which goals are reached. Pure.
struct ReceiptStateMachine {
    enum Goal: Sendable {
        case finished
        case published
        case stored
    }

    private(set) var summary = ReceiptSummary()
    private(set) var firstRefusal: (any Error)?
    /// The first refusal that also ended storing.
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

    mutating func didPublish(isUnheard: Bool = false) {
        summary.published += 1
        if isUnheard { summary.unheard += 1 }
    }

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

    /// The event was offered to all receivers: no further delivery is announced.
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
