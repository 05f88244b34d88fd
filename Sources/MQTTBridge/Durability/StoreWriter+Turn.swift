import Logging
import MessageStore

/// One turn: commits the pending changes, then reads stored messages for receivers with room.
extension StoreWriter {
    /// Commits all changes at once. On a full medium commits them in parts, so that changes that free space do not fail
    /// together with changes that need it.
    func turn(_ core: inout Core, _ intake: inout ReceivedChanges) throws(StoreError) {
        var changes = pending.take()
        admit(&intake, &changes)
        guard !core.isFull else { return try turnInParts(&core, changes, &intake) }
        var wrote = false
        do throws(StoreError) {
            wrote = try commit(&core, changes, &intake)
        } catch {
            if error.code == .full { return try turnInParts(&core, changes, &intake) }
            release(intake)
            pending.putBack(changes)
            failed(&core, error)
            throw error
        }
        readOnOrFail(&core, changes.reads, hasRecovered: wrote)
    }

    /// Commits removals, then received messages, then emits a slice at a time. Changes that do not fit stay pending;
    /// received messages that do not fit are refused. Continues to read in any case, since finished messages free
    /// space.
    private func turnInParts(_ core: inout Core, _ changes: PendingChanges, _ intake: inout ReceivedChanges)
        throws(StoreError)
    {
        // While the medium is known to be full, only a retry tries emits.
        let triesEmits = !core.isFull || intake.isProbe
        var rest = changes
        var failure: StoreError?
        var refusal: StoreError?
        var none = ReceivedChanges()
        var back: [PendingChanges] = []
        var limit = PendingChanges.removals.large
        while failure == nil, rest.hasRemovals {
            let part = rest.takeRemovals(limit: limit)
            do throws(StoreError) {
                _ = try commit(&core, part, &none)
            } catch {
                rest.putBack(part)
                if limit == PendingChanges.removals.small || error.code != .full { failure = error }
                limit = PendingChanges.removals.small
            }
        }
        if rest.hasRemovals { back.append(rest.takeRemovals()) }
        let deadLetters = rest.takeDeadLetters()
        do throws(StoreError) {
            _ = try commit(&core, deadLetters, &none)
        } catch {
            back.append(deadLetters)
            failure = failure ?? error
        }
        if !intake.isEmpty || intake.isProbe {
            do throws(StoreError) {
                _ = try commit(&core, PendingChanges(), &intake)
                core.refusesArrivals = false
            } catch {
                release(intake)
                if !intake.isEmpty { core.refusesArrivals = true }
                refusal = error
                failure = failure ?? error
            }
        }
        var isSmall = false
        while triesEmits, failure == nil, !rest.departures.isEmpty || !rest.seen.isEmpty {
            let slice = rest.takeSlice(isSmall: isSmall)
            do throws(StoreError) {
                _ = try commit(&core, slice, &none)
            } catch {
                rest.putBack(slice)
                if isSmall || error.code != .full { failure = error }
                isSmall = true
            }
        }
        let isUsable = failure.map { $0.code == .full } ?? true
        let reads = isUsable ? rest.takeReads() : PendingChanges.Reads()
        // In reverse order, since each part is put before the pending ones.
        pending.putBack(rest)
        for part in back.reversed() { pending.putBack(part) }
        if let failure { failed(&core, failure) }
        if isUsable { readOnOrFail(&core, reads, hasRecovered: failure == nil && triesEmits) }
        if let refusal { throw refusal }
    }

    /// Commits changes and received messages in one transaction, then dispatches them. Returns whether there was
    /// anything to write.
    ///
    /// - Throws: The error of the store; then nothing has changed.
    private func commit(_ core: inout Core, _ changes: PendingChanges, _ intake: inout ReceivedChanges)
        throws(StoreError)
        -> Bool
    {
        var sequence = core.lastSequence
        var (batch, emits) = changes.batch(from: &sequence)
        intake.arrivals.number(from: &sequence)
        for position in intake.departures.indices {
            sequence += 1
            intake.departures[position].record.sequence = sequence
        }
        batch.arrivals = intake.arrivals.records
        batch.departures += intake.departures.map(\.record)
        batch.seen += intake.seen
        batch.deadLetters += intake.deadLetters
        batch.isProbe = intake.isProbe
        batch.evictions += pending.withGauge { $0.evictions(changes.evictionScopes) }
        if !batch.deadLetters.isEmpty { batch.evictions.append(deadLetterEviction) }
        var removals: [StoreRemoval] = []
        if !batch.isEmpty {
            CrashPoint.beforeCommit.pass()
            removals = try commitWatch.during { () throws(StoreError) in try store.commit(batch) }
            CrashPoint.afterCommit.pass()
        }
        core.lastSequence = sequence
        // Before `settle`, which may forget messages that were evicted in the same commit.
        inbound.dispatch(intake.arrivals)
        // Dispatch normally begins when the acknowledgements are written; this is for the case that they cannot be.
        if !intake.arrivals.isEmpty { scheduler.schedule(.soon) }
        settle(core, changes, removals)
        emits += intake.departures
        dispatch(emits, core)
        for waiter in changes.waiters { waiter.resume() }
        return !batch.isEmpty
    }

    /// - Parameter hasRecovered: Whether the store has recovered if reading succeeds. A store that can be written but
    ///   not read would otherwise recover and fail repeatedly.
    private func readOnOrFail(_ core: inout Core, _ reads: PendingChanges.Reads, hasRecovered: Bool) {
        do throws(StoreError) {
            try readOn(&core, reads)
            if core.failure != nil, hasRecovered { recovered(&core) }
            pressure.update(isFailing: core.mustHold)
        } catch {
            // The commit stands; only the reads must be repeated.
            pending.add { $0.reads.formUnion(reads) }
            failed(&core, error)
        }
    }

    /// Reads messages that there is room for. A damaged message becomes a dead letter, and reading continues in the
    /// next turn.
    private func readOn(_ core: inout Core, _ reads: PendingChanges.Reads) throws(StoreError) {
        do throws(StoreError) {
            try read(&core, reads)
        } catch {
            guard let row = error.row else { throw error }
            try removeDamaged(row, core)
            pending.add(.now) { $0.reads.formUnion(reads) }
        }
    }

    private func read(_ core: inout Core, _ reads: PendingChanges.Reads) throws(StoreError) {
        if !reads.inbound.isEmpty { try inbound.readOn(reads.inbound, upTo: core.lastSequence) }
        for broker in reads.outbound {
            guard let later = try core.outbound[broker]?.readOn(upTo: core.lastSequence) else { continue }
            scheduler.readOn(for: broker, after: later)
        }
    }
}
