import AsyncEventBus
import Locking
import Logging
import MessageStore
import Mosquitto

/// Handles failures of the store, and damaged messages.
extension StoreWriter {
    func failed(_ core: inout Core, _ error: StoreError) {
        core.failures += 1
        let isNew = core.failure?.code != error.code
        core.failure = error
        pressure.update(isFailing: core.mustHold)
        if isNew {
            context.logger.error("the store cannot be written", metadata: [LogKey.reason: "\(error)"])
            context.reporter.report(
                "$bridge.storefailed",
                [("reason", JSONText.string("\(error)")), ("code", JSONText.string("\(error.code)"))]
            )
        }
        // A retry does not repair a damaged store.
        guard error.code != .damaged else { return becameUnusable(error) }
        scheduler.retry(afterFailures: core.failures)
    }

    func recovered(_ core: inout Core) {
        core.failure = nil
        core.failures = 0
        core.refusesArrivals = false
        context.logger.notice("the store can be written again")
        context.reporter.report("$bridge.storerecovered")
    }

    /// Tries to commit again. Writes a probe even if no changes are pending.
    func retry() {
        core.withLock { core in
            guard !core.isClosed, core.failure != nil else { return }
            do throws(StoreError) {
                try? store.tidy()
                try turn(&core, isProbe: true)
            } catch {}
        }
    }

    /// Turns a damaged message into a dead letter, in a commit of its own, so that other messages do not fail with it.
    func removeDamaged(_ row: StoreRow, _ core: Core) throws(StoreError) {
        var deadLetter = try store.remains(of: row)
        deadLetter.error = "the row was damaged in the store"
        deadLetter.died = clock.now
        var batch = StoreBatch()
        switch row.direction {
        case .inbound: batch.finished = [row.sequence]
        case .outbound: batch.published = [row.sequence]
        }
        batch.deadLetters = [deadLetter]
        batch.evictions = [deadLetterEviction]
        countTrimmed(try store.commit(batch))
        let removal = StoreRemoval(
            direction: row.direction,
            sequence: row.sequence,
            route: deadLetter.route,
            broker: deadLetter.broker,
            topic: deadLetter.topic,
            size: deadLetter.sizeAsMessage,
            reason: .damaged
        )
        forget([removal], core)
        context.logger.error(
            "a message was damaged in the store; it is a dead letter now",
            metadata: [LogKey.broker: "\(deadLetter.broker)", LogKey.topic: "\(escapedForLog(deadLetter.topic))"]
        )
        context.reporter.deadLetter(deadLetter)
    }
}
