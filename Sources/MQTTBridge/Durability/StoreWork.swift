import AsyncEventBus
import Locking
import MessageStore

/// Where listeners, emitters and acknowledgements leave what is to happen in the store. Never blocks for the store.
final class StoreWork: Sendable {
    /// How soon the store is to be opened.
    enum Urgency: Int, Comparable {
        /// With the next change, or after some milliseconds.
        case soon
        /// At once.
        case now

        static func < (left: Urgency, right: Urgency) -> Bool { left.rawValue < right.rawValue }
    }

    fileprivate struct State {
        var changes = PendingChanges()
        var gauge: StoreGauge
        var scheduled: Urgency?
        /// How often the changes were taken.
        var turns: UInt64 = 0
        var wake: (@Sendable (Urgency) -> Void)?
        var roomWaiters: [UInt64: (route: String, size: Int, continuation: CheckedContinuation<Void, any Error>)] = [:]
        var nextToken: UInt64 = 0
        var isClosed = false
    }

    private let state: Locked<State>

    init(gauge: StoreGauge) {
        state = Locked(State(gauge: gauge))
    }

    /// Who opens the store; nil in the end.
    func onWake(_ wake: (@Sendable (Urgency) -> Void)?) {
        state.withLock { $0.wake = wake }
    }

    func add(_ urgency: Urgency = .soon, _ change: (inout PendingChanges) -> Void) {
        let wake = state.withLock { state -> (@Sendable (Urgency) -> Void)? in
            guard !state.isClosed else { return nil }
            change(&state.changes)
            return state.schedule(urgency)
        }
        wake?(urgency)
    }

    /// Takes an emit, or says what is to become of it; nil after the end.
    func offer(_ departure: Departure) -> StoreGauge.Verdict? {
        let record = departure.record
        let (verdict, wake) = state.withLock { state -> (StoreGauge.Verdict?, (@Sendable (Urgency) -> Void)?) in
            guard !state.isClosed else { return (nil, nil) }
            guard state.changes.hasRoom(for: record.size) else { return (.wait, nil) }
            let verdict = state.gauge.verdict(.outbound, route: record.route, size: record.size)
            switch verdict {
            case .drop, .wait, .reject: return (verdict, nil)
            case .accept: break
            case .evict(let crowd): state.changes.crowds.insert(crowd)
            }
            state.gauge.add(.outbound, route: record.route, bytes: record.size)
            state.changes.add(departure)
            return (verdict, state.schedule(.now))
        }
        wake?(.now)
        return verdict
    }

    /// Returns once what was added until now is committed, or nothing more is going to be.
    func committed() async {
        await withCheckedContinuation { continuation in
            var isKept = false
            add(.now) { changes in
                changes.waiters.append(continuation)
                isKept = true
            }
            if !isKept { continuation.resume() }
        }
    }

    // MARK: For the journal

    func withGauge<Result>(_ body: (inout StoreGauge) -> Result) -> Result {
        state.withLock { body(&$0.gauge) }
    }

    func take() -> PendingChanges {
        state.withLock { state in
            defer { state.changes = PendingChanges() }
            state.scheduled = nil
            state.turns += 1
            return state.changes
        }
    }

    /// How often the changes were taken, and whether there are none.
    var progress: (turns: UInt64, isEmpty: Bool) { state.withLock { ($0.turns, $0.changes.isEmpty) } }

    func putBack(_ changes: PendingChanges) {
        state.withLock { $0.changes.putBack(changes) }
    }

    func forget(_ sequences: Set<Int64>) {
        state.withLock { $0.changes.forget(sequences) }
    }

    var isEmpty: Bool { state.withLock { $0.changes.isEmpty } }

    // MARK: Waiting for room

    /// Returns when a message of that size is worth another try.
    func waitForRoom(route: String, size: Int) async throws {
        let token = state.withLock { state in
            state.nextToken += 1
            return state.nextToken
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let isDone = state.withLock { state in
                    if state.hasRoom(route, size) { return true }
                    state.roomWaiters[token] = (route, size, continuation)
                    return false
                }
                if isDone { continuation.resume() } else if Task.isCancelled { cancelWait(token) }
            }
        } onCancel: {
            cancelWait(token)
        }
    }

    private func cancelWait(_ token: UInt64) {
        let waiter = state.withLock { $0.roomWaiters.removeValue(forKey: token) }
        waiter?.continuation.resume(throwing: CancellationError())
    }

    /// Nothing more is going to be committed. Returns what was not.
    func close() -> PendingChanges {
        let changes = state.withLock { state in
            state.isClosed = true
            state.wake = nil
            defer { state.changes = PendingChanges() }
            return state.changes
        }
        for waiter in changes.waiters { waiter.resume() }
        admitWaiters()
        return changes
    }

    /// Something was removed: lets those go on for whom there is room now.
    func admitWaiters() {
        let admitted = state.withLock { state in
            guard !state.roomWaiters.isEmpty else { return [CheckedContinuation<Void, any Error>]() }
            let tokens = state.roomWaiters.filter { state.hasRoom($0.value.route, $0.value.size) }.keys
            return tokens.compactMap { state.roomWaiters.removeValue(forKey: $0)?.continuation }
        }
        for continuation in admitted { continuation.resume() }
    }
}

extension StoreWork.State {
    fileprivate func hasRoom(_ route: String, _ size: Int) -> Bool {
        isClosed || changes.isHalfEmpty(for: size) && gauge.hasRoom(.outbound, route: route, size: size)
    }

    /// Whom to wake; nil if the store is going to be opened soon enough anyway.
    fileprivate mutating func schedule(_ urgency: StoreWork.Urgency) -> (@Sendable (StoreWork.Urgency) -> Void)? {
        if let scheduled, scheduled >= urgency { return nil }
        scheduled = urgency
        return wake
    }
}
