/// Workers that take chunks of elements.
///
/// Who hands a worker its thread is there when it leaves that thread, done or suspended in a call. As long as it keeps
/// the thread it is on duty, and calls that return at once need no second worker beside it. A worker that was suspended
/// goes on by itself, beside those on duty.
extension MailboxStateMachine {
    /// What a worker does next.
    enum ChunkAction: Sendable {
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

    /// Workers on duty.
    struct Shifts: Sendable {
        /// How many can have a thread at the same time. More on duty would only stand in the way of other listeners'.
        let threads: Int
        /// Whether calls return so soon that to start another worker takes longer.
        fileprivate var areShort = false
        /// Those who keep their thread, and whether they are about to leave it as their turn is over.
        fileprivate var onDuty: [UInt64: Bool] = [:]
        fileprivate var next: UInt64 = 0

        init(threads: Int) {
            self.threads = threads
        }

        /// Whether what is left needs a worker beside those on duty: there is none, or calls take long.
        var needsWorker: Bool { onDuty.isEmpty || (!areShort && hasThread) }

        /// Whether one more could have a thread.
        var hasThread: Bool { onDuty.count < threads }

        fileprivate mutating func begin() -> UInt64 {
            next += 1
            onDuty[next] = false
            return next
        }
    }

    /// A worker has begun to run, and is on duty. Returns what names its shift.
    mutating func shiftBegan() -> UInt64 {
        workerStarted()
        return shifts.begin()
    }

    /// A worker has claimed all it was given; `shift` names its shift, if it ever had one.
    mutating func chunkAsked(by shift: UInt64?) -> ChunkAction {
        guard let found = chunks?.nextChunk() else {
            workers -= 1
            if let shift { shifts.onDuty[shift] = nil }
            return .retire(isIdle: isIdle)
        }
        // One element is for who asked.
        return .run(found, startWorker: count > 1 && startsWorker())
    }

    /// It was measured whether calls return so soon that to start another worker takes longer.
    mutating func measured(areShort: Bool) {
        shifts.areShort = areShort
    }

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
            guard canRun, workers < limit, shifts.needsWorker else { return .end }
            addWorker()
            return .begin(shift: shifts.begin())
        }
    }
}
