import AsyncEventBus
import Locking
import Logging
import MessageStore
import Mosquitto

/// Periodic maintenance of the store: finds new listeners, replays dead letters on request, and removes expired
/// messages.
final class StoreMaintenance: Sendable {
    private let writer: StoreWriter
    private let context: BridgeContext
    private let turns = Locked(0)

    init(_ writer: StoreWriter) {
        self.writer = writer
        context = writer.context
    }

    /// Reports a stalled commit without waiting for it. To be called about once a second, on a thread that never waits
    /// for the store.
    func reportStalledCommit() {
        switch writer.commitWatch.look(at: .now) {
        case .stalled(let age)?:
            context.logger.warning("a commit does not end", metadata: [LogKey.hop: "commit", LogKey.age: "\(age)"])
            context.reporter.report("$bridge.stalled", Self.members(age))
        case .recovered(let age)?:
            context.logger.notice("the commit has ended", metadata: [LogKey.hop: "commit", LogKey.age: "\(age)"])
            context.reporter.report("$bridge.recovered", Self.members(age))
        case nil: break
        }
    }

    private static func members(_ age: Duration) -> [(String, String)] {
        [("hop", JSONText.string("commit")), ("age", String(age.components.seconds))]
    }

    /// To be called about once a second, on a thread that may wait for the store. Every tenth call removes expired
    /// messages and identities, and excess dead letters.
    func run() {
        let turn = turns.withLock { turn in
            defer { turn += 1 }
            return turn
        }
        run(trims: turn % 10 == 0)
    }

    func run(trims: Bool) {
        writer.inbound.runMaintenance()
        writer.whileUsable { core throws(StoreError) in
            if trims { requestTrimming() }
            // A failure is ignored: one that matters shows at the next commit.
            try? writer.store.tidy()
            if !core.isFull { try replay(&core) }
        }
    }

    private func requestTrimming() {
        let (now, options) = (writer.clock.now, context.options.store)
        writer.pending.add { changes in
            changes.evictions += [
                .expired(before: now),
                .seen(before: now - options.dedupeSpan.nanoseconds, keep: options.dedupeCount),
                writer.deadLetterEviction,
            ]
        }
    }

    /// Replays up to 64 dead letters whose replay was requested.
    private func replay(_ core: inout StoreWriter.Core) throws(StoreError) {
        let deadLetters = try writer.store.deadLetters(DeadLetterFilter(onlyReplayRequested: true), limit: 64)
        guard !deadLetters.isEmpty else { return }
        var batch = StoreBatch()
        let now = writer.clock.now
        for letter in deadLetters {
            // A store marks no dead letter without a payload.
            guard let payload = letter.payload else { continue }
            batch.replayed.append(letter.number)
            core.lastSequence += 1
            switch letter.direction {
            case .inbound:
                batch.arrivals.append(InboundRecord(letter, payload, sequence: core.lastSequence, now: now))
            case .outbound:
                batch.departures.append(OutboundRecord(letter, payload, sequence: core.lastSequence, now: now))
            }
        }
        try writer.store.commit(batch)
        writer.pending.withGauge { gauge in
            for record in batch.arrivals { gauge.add(.inbound, route: record.route, bytes: record.size) }
            for record in batch.departures { gauge.add(.outbound, route: record.route, bytes: record.size) }
        }
        writer.inbound.dispatch(batch.arrivals)
        writer.dispatch(
            batch.departures.map { PendingPublish(record: $0, message: RecordCodec.message($0), receipt: nil) },
            core
        )
        context.logger.notice("dead letters replayed", metadata: [LogKey.count: "\(deadLetters.count)"])
    }
}
