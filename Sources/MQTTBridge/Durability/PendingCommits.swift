import AsyncEventBus
import Locking
import MessageStore

/// Collects the changes of listeners, emitters and acknowledgements for the next commit. Never blocks on the store.
final class PendingCommits: Sendable {
    typealias Urgency = CommitScheduler.Urgency

    /// An emit that waits for room.
    fileprivate struct Room {
        let route: String
        let size: Int
        /// Whether the store itself was full: then a quarter of it must be free, not only half of the pending changes.
        var isInStore = false
    }

    fileprivate struct State {
        var changes = PendingChanges()
        var gauge: StoreGauge
        var scheduled: Urgency?
        /// How often the changes were taken to be committed.
        var turns: UInt64 = 0
        var roomWaiters = Waiters<Room>()
        var isClosed = false
    }

    private let state: Locked<State>
    private let scheduler: CommitScheduler

    init(gauge: StoreGauge, scheduler: CommitScheduler = CommitScheduler()) {
        state = Locked(State(gauge: gauge))
        self.scheduler = scheduler
    }

    func add(_ urgency: Urgency = .soon, _ change: (inout PendingChanges) -> Void) {
        let isFirst = state.withLock { state in
            guard !state.isClosed else { return false }
            change(&state.changes)
            return state.schedules(urgency)
        }
        if isFirst { scheduler.schedule(urgency) }
    }

    /// Adds an emit if the verdict is `accept` or `evict`. Returns nil after ``close()``.
    func offer(_ departure: PendingPublish) -> StoreGauge.Verdict? {
        let record = departure.record
        let (verdict, isFirst) = state.withLock { state -> (StoreGauge.Verdict?, Bool) in
            guard !state.isClosed else { return (nil, false) }
            guard state.changes.hasRoom(for: record.size) else { return (.wait, false) }
            let verdict = state.gauge.verdict(.outbound, route: record.route, size: record.size)
            switch verdict {
            case .drop, .wait, .reject: return (verdict, false)
            case .accept: break
            case .evict(let scope): state.changes.evictionScopes.insert(scope)
            }
            state.gauge.add(.outbound, route: record.route, bytes: record.size)
            state.changes.add(departure)
            return (verdict, state.schedules(.now))
        }
        if isFirst { scheduler.schedule(.now) }
        return verdict
    }

    /// Returns once all changes added so far are committed, or after ``close()``.
    func committed() async {
        await withCheckedContinuation { continuation in
            var isAdded = false
            add(.now) { changes in
                changes.waiters.append(continuation)
                isAdded = true
            }
            if !isAdded { continuation.resume() }
        }
    }

    // MARK: For the store writer

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

    /// How often the changes were taken, and whether none are pending.
    var progress: (turns: UInt64, isEmpty: Bool) { state.withLock { ($0.turns, $0.changes.isEmpty) } }

    func putBack(_ changes: PendingChanges) {
        state.withLock { $0.changes.putBack(changes) }
    }

    func forget(_ sequences: Set<Int64>) {
        state.withLock { $0.changes.forget(sequences) }
    }

    var isEmpty: Bool { state.withLock { $0.changes.isEmpty } }

    // MARK: Waiting for room

    /// Returns when an emit of this size should be tried again. If the store was full, a quarter of it is free then; if
    /// there were only too many pending emits, half of their room is free. Returns after ``close()`` as well.
    ///
    /// - Throws: `CancellationError`.
    func waitForRoom(route: String, size: Int) async throws {
        try await state.wait(for: Room(route: route, size: size), in: \.roomWaiters) { state, room in
            state.has(&room) ? .success(()) : nil
        }
    }

    /// Rejects further changes, and resumes all waiting tasks. Returns the uncommitted changes.
    func close() -> PendingChanges {
        let changes = state.withLock { state in
            state.isClosed = true
            defer { state.changes = PendingChanges() }
            return state.changes
        }
        for waiter in changes.waiters { waiter.resume() }
        admitWaiters()
        return changes
    }

    /// Resumes the tasks that there is room for now. To be called after a commit.
    func admitWaiters() {
        let admitted = state.withLock { $0.admitted() }
        for waiter in admitted { waiter.resume() }
    }
}

extension PendingCommits.State {
    fileprivate mutating func admitted() -> [Waiters<PendingCommits.Room>.Waiter] {
        var waiters = roomWaiters
        defer { roomWaiters = waiters }
        return waiters.removeAll { has(&$0) }
    }

    /// Whether an emit may be tried again. If not, records in `room` whether the store is the reason.
    fileprivate func has(_ room: inout PendingCommits.Room) -> Bool {
        guard !isClosed else { return true }
        if gauge.verdict(.outbound, route: room.route, size: room.size) == .wait { room.isInStore = true }
        return changes.isHalfEmpty(for: room.size)
            && (!room.isInStore || gauge.hasRoom(.outbound, route: room.route, size: room.size))
    }

    /// Whether a commit must be scheduled, because the scheduled one is not soon enough.
    fileprivate mutating func schedules(_ urgency: PendingCommits.Urgency) -> Bool {
        if let scheduled, scheduled >= urgency { return false }
        scheduled = urgency
        return true
    }
}
