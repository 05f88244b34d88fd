import AsyncEventBus
import Dispatch
import Locking
import Logging
import MessageStore
import Mosquitto

/// Has the store open, for one at a time: commits what piled up, and hands it on in the order of the commits.
///
/// The client's thread commits what it has read itself, and takes along what listeners, emitters and acknowledgements
/// have left in ``StoreWork``; where nothing comes in, a queue of its own does that. Nobody else waits for the medium.
final class Journal: Sendable {
    struct Core {
        var lastSequence: Int64
        var outflows: [String: Outflow] = [:]
        /// What was wrong the last time.
        var failure: StoreError?
        var failures = 0
        var isRetryScheduled = false
        /// When each broker is next looked at.
        var looks: [String: ContinuousClock.Instant] = [:]
        var isClosed = false
    }

    let store: any MessageStore
    let work: StoreWork
    let clock: StoreClock
    let deliveries: Deliveries
    let pressure: StorePressure
    let context: BridgeContext
    private let core: Locked<Core>
    private let queue = DispatchQueue(label: "mqtt-bridge.store")
    private let isLookDue = Locked(false)

    /// Looks at what the store holds.
    init(store: any MessageStore, context: BridgeContext, routes: [Route]) throws(StoreError) {
        self.store = store
        self.context = context
        clock = try StoreClock(store)
        let inventory = try store.recover()
        var gauge = StoreGauge(context.options.store, routes: routes)
        for load in inventory.loads {
            gauge.add(load.direction, route: load.route, messages: load.messages, bytes: load.bytes)
        }
        work = StoreWork(gauge: gauge)
        deliveries = Deliveries(
            context: context,
            store: store,
            work: work,
            clock: clock,
            hasLegacy: gauge.messages(.inbound) > 0
        )
        pressure = StorePressure(work: work, routes: routes)
        core = Locked(Core(lastSequence: inventory.lastSequence))
        context.guards.remember(inventory.seen, now: clock.now)
        let found = (gauge.messages(.inbound), gauge.messages(.outbound))
        if found.0 + found.1 + inventory.deadLetters > 0 {
            context.logger.info(
                "the store holds messages",
                metadata: [
                    LogKey.inbound: "\(found.0)", LogKey.outbound: "\(found.1)",
                    LogKey.deadLetters: "\(inventory.deadLetters)",
                ]
            )
        }
    }

    /// Joins the brokers to the store.
    func attach(_ outflows: [String: Outflow]) {
        core.withLock { $0.outflows = outflows }
        pressure.setClients(outflows.mapValues(\.outlet.client))
        work.onWake { [weak self] urgency in self?.schedule(urgency) }
    }

    func connected(_ broker: String) {
        let (outflow, last) = core.withLock { ($0.outflows[broker], $0.lastSequence) }
        outflow?.connected(lastSequence: last)
    }

    func disconnected(_ broker: String) {
        core.withLock { $0.outflows[broker] }?.disconnected()
    }

    /// Whether the last attempt to change the store failed.
    var isFailing: Bool { core.withLock { $0.failure != nil } }

    // MARK: Changes

    /// What a client's thread brings.
    struct Intake {
        var arrivals = Arrivals()
        var departures: [Departure] = []
        var seen: [SeenIdentity] = []
        var letters: [DeadLetter] = []
        /// Whether something is to be written in any case.
        var isProbe = false
        /// The listeners of the last message, by mailbox and by name: mostly the next one has the same.
        private var inboxes: [NamedInbox] = []
        private var audience: [String] = []
        private var time: Int64?

        init(isProbe: Bool = false) {
            self.isProbe = isProbe
        }

        var isEmpty: Bool { arrivals.isEmpty && departures.isEmpty && letters.isEmpty }

        /// When all of it came.
        mutating func time(by clock: StoreClock) -> Int64 {
            let time = time ?? clock.now
            self.time = time
            return time
        }

        /// The names of the listeners that mailboxes belong to, each once.
        mutating func audience(of inboxes: [NamedInbox]) -> [String] {
            if inboxes == self.inboxes { return audience }
            self.inboxes = inboxes
            audience = []
            for inbox in inboxes where !audience.contains(inbox.name) { audience.append(inbox.name) }
            return audience
        }
    }

    /// Commits what was read, together with what piled up, and hands it on. Blocks for as long as the medium takes.
    ///
    /// - Parameter intake: What is not kept is taken out, and the rest gets its sequences.
    func commit(_ intake: inout Intake) throws(StoreError) {
        try core.withLock { core throws(StoreError) in try turn(&core, &intake) }
    }

    /// The acknowledgements of what was committed are out.
    func wroteAcknowledgements() { deliveries.beginDispatch() }

    private func schedule(_ urgency: StoreWork.Urgency) {
        switch urgency {
        case .now: queue.async { [weak self] in self?.commitPending() }
        case .soon:
            let isFirst = isLookDue.withLock { isDue in
                defer { isDue = true }
                return !isDue
            }
            if isFirst { commitSoon(unless: work.progress.turns) }
        }
    }

    /// Commits after some milliseconds. What listeners have finished goes with the next batch that comes in; where none
    /// has come meanwhile, it does not wait any longer.
    private func commitSoon(unless turns: UInt64) {
        queue.asyncAfter(deadline: .now() + .milliseconds(20)) { [weak self] in
            guard let self else { return }
            deliveries.beginDispatch()
            let progress = work.progress
            guard progress.turns == turns || progress.isEmpty else { return commitSoon(unless: progress.turns) }
            isLookDue.withLock { $0 = false }
            commitPending()
        }
    }

    private func commitPending() {
        core.withLock { core in
            guard !core.isClosed, core.failure == nil else { return }
            do throws(StoreError) {
                try turn(&core)
            } catch {}
        }
    }

    /// - Parameter isProbe: Whether something is written in any case.
    private func turn(_ core: inout Core, isProbe: Bool = false) throws(StoreError) {
        var intake = Intake(isProbe: isProbe)
        try turn(&core, &intake)
    }

    private func turn(_ core: inout Core, _ intake: inout Intake) throws(StoreError) {
        var changes = work.take()
        admit(&intake, &changes)
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
        batch.letters += intake.letters
        batch.isProbe = intake.isProbe
        batch.evictions += work.withGauge { $0.evictions(changes.crowds) }
        var removals: [StoreRemoval] = []
        if !batch.isEmpty {
            do throws(StoreError) {
                CrashPoint.beforeCommit.pass()
                removals = try store.commit(batch)
                CrashPoint.afterCommit.pass()
            } catch {
                release(intake)
                work.putBack(changes)
                failed(&core, error)
                throw error
            }
        }
        if core.failure != nil, !batch.isEmpty { recovered(&core) }
        core.lastSequence = sequence
        for waiter in changes.waiters { waiter.resume() }
        // First, so that what was removed again is known.
        deliveries.dispatch(intake.arrivals)
        // Where the acknowledgements cannot be written now, nobody else sees to it.
        if !intake.arrivals.isEmpty { schedule(.soon) }
        settle(core, changes, removals)
        emits += intake.departures
        dispatch(emits, core)
        pressure.update(isFailing: false)
        do throws(StoreError) {
            try readOn(&core, changes)
        } catch {
            // What was committed is committed; what was to be read is still to be.
            work.add { pending in
                pending.deliveries.formUnion(changes.deliveries)
                pending.outflows.formUnion(changes.outflows)
            }
            failed(&core, error)
        }
    }

    private func dispatch(_ departures: [Departure], _ core: Core) {
        guard !departures.isEmpty else { return }
        for departure in departures { departure.receipt?.didStore() }
        if core.outflows.count == 1, let outflow = core.outflows.values.first {
            outflow.dispatch(departures)
        } else {
            for (broker, outflow) in core.outflows {
                let own = departures.filter { $0.record.broker == broker }
                if !own.isEmpty { outflow.dispatch(own) }
            }
        }
    }

    private func readOn(_ core: inout Core, _ changes: PendingChanges) throws(StoreError) {
        if !changes.deliveries.isEmpty {
            try deliveries.readOn(changes.deliveries, upTo: core.lastSequence)
        }
        for broker in changes.outflows {
            guard let outflow = core.outflows[broker], let later = try outflow.readOn(upTo: core.lastSequence) else {
                continue
            }
            let time = ContinuousClock.now + later
            // One look is enough: it says when the next one is.
            if let next = core.looks[broker], next <= time { continue }
            core.looks[broker] = time
            queue.asyncAfter(deadline: .now() + .nanoseconds(Int(later.nanoseconds))) { [weak self] in
                self?.look(at: broker, time)
            }
        }
    }

    private func look(at broker: String, _ time: ContinuousClock.Instant) {
        core.withLock { if $0.looks[broker] == time { $0.looks[broker] = nil } }
        work.add(.now) { $0.outflows.insert(broker) }
    }

    // MARK: Failures

    private func failed(_ core: inout Core, _ error: StoreError) {
        core.failures += 1
        let isNew = core.failure?.code != error.code
        core.failure = error
        pressure.update(isFailing: true)
        if isNew {
            context.logger.error("the store cannot be written", metadata: [LogKey.reason: "\(error)"])
            context.reporter.tellStore(
                "$bridge.storefailed",
                [("reason", JSONText.string("\(error)")), ("code", JSONText.string("\(error.code)"))]
            )
        }
        guard !core.isRetryScheduled else { return }
        core.isRetryScheduled = true
        let pause = min(5_000, 250 << min(core.failures, 5))
        queue.asyncAfter(deadline: .now() + .milliseconds(pause)) { [weak self] in self?.retry() }
    }

    private func recovered(_ core: inout Core) {
        core.failure = nil
        core.failures = 0
        context.logger.notice("the store can be written again")
        context.reporter.tellStore("$bridge.storerecovered")
    }

    /// Tries whether the store works again. Where nothing waits to be written, something is.
    private func retry() {
        core.withLock { core in
            core.isRetryScheduled = false
            guard !core.isClosed, core.failure != nil else { return }
            do throws(StoreError) {
                try turn(&core, isProbe: true)
            } catch {}
        }
    }

    // MARK: Housekeeping

    /// Looks after what nobody else does: new listeners, replays, what has expired.
    func lookAround(isThorough: Bool) {
        deliveries.begin()
        core.withLock { core in
            guard !core.isClosed, core.failure == nil else { return }
            do throws(StoreError) {
                if isThorough {
                    let (now, options) = (clock.now, context.options.store)
                    work.add { changes in
                        changes.evictions += [
                            .expired(before: now),
                            .seen(before: now - options.dedupeSpan.nanoseconds, keep: options.dedupeCount),
                            .letters(keep: options.deadLetters),
                        ]
                    }
                }
                try replay(&core)
            } catch {
                failed(&core, error)
                return
            }
            // A failure is told and tried again there.
            try? turn(&core)
        }
    }

    /// Runs dead letters again for which somebody has asked.
    private func replay(_ core: inout Core) throws(StoreError) {
        let letters = try store.deadLetters(DeadLetterFilter(onlyReplayRequested: true), limit: 64)
        guard !letters.isEmpty else { return }
        var batch = StoreBatch()
        let now = clock.now
        for letter in letters {
            // A store marks none without a payload.
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
        try store.commit(batch)
        work.withGauge { gauge in
            for record in batch.arrivals { gauge.add(.inbound, route: record.route, bytes: record.size) }
            for record in batch.departures { gauge.add(.outbound, route: record.route, bytes: record.size) }
        }
        deliveries.dispatch(batch.arrivals)
        dispatch(
            batch.departures.map { Departure(record: $0, message: RecordCodec.message($0), receipt: nil) },
            core
        )
        context.logger.notice("dead letters run again", metadata: [LogKey.count: "\(letters.count)"])
    }

    /// Commits what is left, and ends. What listeners finish from now on is not noted: they will run again.
    func close() {
        work.onWake(nil)
        core.withLock { core in
            guard !core.isClosed else { return }
            try? turn(&core)
            deliveries.finishDispatch()
            // What immediate listeners have emitted just now.
            try? turn(&core)
            core.isClosed = true
            for outflow in core.outflows.values { outflow.close() }
            let error = ClientError(.notRunning, operation: "store an emit")
            for departure in work.close().departures {
                departure.receipt?.didRefuse(error)
                let record = departure.record
                context.reporter.count(.refused, broker: record.broker, topic: record.topic, reason: "\(error)")
            }
        }
    }
}
