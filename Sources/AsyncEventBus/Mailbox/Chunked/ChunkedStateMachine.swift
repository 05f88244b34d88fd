/// Decides what a mailbox does whose workers take chunks of elements, which have no keys and do not rest. Pure but for
/// the chunks, which workers empty without asking.
struct ChunkedStateMachine<Element: Sized>: MailboxMachine {
    /// What a worker does next.
    enum WorkerAction: Sendable {
        /// Claim and run these elements until none is left, then ask again.
        case run(Chunk<Element>, startWorker: Bool)
        /// Nothing is left to do: end. `isIdle` says that no other worker runs either.
        case retire(isIdle: Bool)
    }

    /// What follows when a worker has left its thread.
    enum LeaveAction: Sendable {
        /// It has retired, or there is nothing for another one to do.
        case end
        /// Its turn is over: give the thread to others, then begin another shift.
        case yield(shift: UInt64)
        /// It is suspended, and there is more to do: begin the shift of another worker.
        case begin(shift: UInt64)
    }

    var intake: Intake<ChunkQueue<Element>>
    var workers: WorkerCount
    private var shifts: Shifts

    /// - Parameter threads: How many workers can have a thread at the same time.
    init(capacity: Int, capacityBytes: Int = .max, limit: Int, policy: OverflowPolicy, threads: Int = .max) {
        let line = ChunkQueue<Element>(capacityBytes: capacityBytes)
        intake = Intake(room: Room(count: capacity, bytes: capacityBytes), policy: policy, line: line)
        workers = WorkerCount(limit: limit)
        shifts = Shifts(threads: threads)
    }

    var needsWorker: Bool {
        // When half of the room is taken, the workers on duty may be blocked.
        shifts.needsWorker || (intake.line.ordinary.count > intake.room.count / 2 && shifts.hasThread)
    }

    /// A worker has begun to run, and is on duty. Returns what names its shift.
    mutating func shiftBegan() -> UInt64 {
        workers.started()
        return shifts.begin()
    }

    /// A worker has claimed all it was given; `shift` names its shift, if it ever had one.
    mutating func workerAsked(by shift: UInt64?) -> WorkerAction {
        guard let chunk = intake.line.nextChunk() else {
            workers.retired()
            if let shift { shifts.onDuty[shift] = nil }
            return .retire(isIdle: isIdle)
        }
        // One element is for the worker that asked.
        return .run(chunk, startWorker: count > 1 && startsWorker())
    }

    /// Lets producers in as far as there is room. Returns their tokens.
    mutating func admitted() -> [UInt64] {
        var tokens: [UInt64] = []
        while let token = intake.admitNext() { tokens.append(token) }
        return tokens
    }

    /// It was measured whether calls return so soon that to start another worker takes longer.
    mutating func measured(areShort: Bool) { shifts.areShort = areShort }

    /// A worker has kept its thread for long enough. Returns whether it is to leave it by returning, for it is on duty.
    mutating func turnEnded(by shift: UInt64?) -> Bool {
        guard let shift, shifts.onDuty[shift] != nil else { return false }
        shifts.onDuty[shift] = true
        return true
    }

    /// The worker on that shift has left its thread.
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
