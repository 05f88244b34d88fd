/// Decides what a mailbox does if its workers take chunks: its elements have no keys and do not rest. Pure apart from
/// the chunks, which workers empty without it.
struct ChunkedStateMachine<Element: Sized>: MailboxMachine {
    /// The next step of a worker.
    enum WorkerAction: Sendable {
        /// Claim and run these elements until none is left, then ask again.
        case run(Chunk<Element>, startWorker: Bool)
        /// No work is left: end. `isIdle` is true if no other worker runs either.
        case retire(isIdle: Bool)
    }

    /// The next step after a worker has left its thread.
    enum LeaveAction: Sendable {
        /// End: the worker has retired, or there is no work for another one.
        case end
        /// The turn of the worker is over: yield the thread, then resume this shift.
        case yield(shift: UInt64)
        /// The worker is suspended, and work is left: begin the shift of another one.
        case begin(shift: UInt64)
    }

    var intake: Intake<ChunkQueue<Element>>
    var workers: WorkerCount
    private var shifts: Shifts

    /// - Parameter threads: The most workers that can have a thread at the same time.
    init(capacity: Int, capacityBytes: Int = .max, limit: Int, policy: OverflowPolicy, threads: Int = .max) {
        let line = ChunkQueue<Element>(capacityBytes: capacityBytes)
        intake = Intake(room: Room(count: capacity, bytes: capacityBytes), policy: policy, line: line)
        workers = WorkerCount(limit: limit)
        shifts = Shifts(threads: threads)
    }

    var needsWorker: Bool {
        // If more than half of the capacity is taken, the workers on duty may be blocked.
        shifts.needsWorker || (intake.line.ordinary.count > intake.room.count / 2 && shifts.hasThread)
    }

    /// A worker has begun to run, and is on duty. Returns the identifier of its shift.
    mutating func shiftBegan() -> UInt64 {
        workers.started()
        return shifts.begin()
    }

    /// A worker has claimed its whole chunk; `shift` is its shift, if it ever had one.
    mutating func workerAsked(by shift: UInt64?) -> WorkerAction {
        guard let chunk = intake.line.nextChunk() else {
            workers.retired()
            if let shift { shifts.onDuty[shift] = nil }
            return .retire(isIdle: isIdle)
        }
        // One element is for the worker that asks.
        return .run(chunk, startWorker: count > 1 && startsWorker())
    }

    /// Admits producers as long as there is room. Returns their tokens.
    mutating func admitted() -> [UInt64] {
        var tokens: [UInt64] = []
        while let token = intake.admitNext() { tokens.append(token) }
        return tokens
    }

    /// A worker has measured whether calls are shorter than the start of another worker.
    mutating func measured(areShort: Bool) { shifts.areShort = areShort }

    /// The turn of a worker is over. Returns whether to leave the thread by returning, since the worker is on duty.
    mutating func turnEnded(by shift: UInt64?) -> Bool {
        guard let shift, shifts.onDuty[shift] != nil else { return false }
        shifts.onDuty[shift] = true
        return true
    }

    /// The worker of a shift has left its thread.
    mutating func shiftLeft(_ shift: UInt64) -> LeaveAction {
        switch shifts.onDuty[shift] {
        case nil:
            return .end
        case true:
            shifts.onDuty[shift] = false
            return .yield(shift: shift)
        case false:
            shifts.onDuty[shift] = nil
            guard canRun, workers.hasPlace, shifts.needsWorker else { return .end }
            workers.add()
            return .begin(shift: shifts.begin())
        }
    }
}
