import AsyncEventBus
import Locking
import Logging
import MessageStore
import Mosquitto

/// Turns messages of one broker into events, and events of its connection into reports.
///
/// All calls are on the thread of the broker's client.
final class MessageReceiver: ClientDelegate {
    let broker: Broker
    let link: String
    let format: WireFormat
    let context: BridgeContext
    let writer: StoreWriter?
    let router: CurrentRouter
    let subscriptions: BrokerSubscriptions
    /// Whether a stray subscription was logged.
    let isStrayLogged = Locked(false)
    /// Whether a response topic that is not used was logged.
    let isReplyTopicLogged = Locked(false)
    /// The durable routes that were logged as having no durable listener.
    let routesWithoutListener = Locked<Set<String>>([])
    /// The last batch, reused for its storage.
    private let spare = Locked<Batch?>(nil)
    /// Whether the session is recorded in the store.
    let isSessionRecorded = Locked(false)
    /// Whether the broker supports subscription identifiers, which mark retained messages.
    let hasMarks = Locked(true)

    init(
        broker: Broker,
        link: String,
        context: BridgeContext,
        writer: StoreWriter?,
        router: CurrentRouter,
        subscriptions: BrokerSubscriptions
    ) {
        self.broker = broker
        self.link = link
        format = broker.wireFormat
        self.context = context
        self.writer = writer
        self.router = router
        self.subscriptions = subscriptions
    }

    func client(_ client: Client, received messages: consuming [Message]) -> ReceiveDecision {
        CrashPoint.afterRead.pass()
        let router = router.now
        var batch = spare.withLock { spare in
            defer { spare = nil }
            return spare ?? Batch(router)
        }
        batch.router = router
        defer {
            batch.reset()
            spare.withLock { [batch] in $0 = batch }
        }
        batch.time = .now
        for position in messages.indices { receive(&messages[position], &batch) }
        if let writer, !batch.intake.isEmpty {
            do throws(StoreError) {
                try writer.commit(&batch.intake)
            } catch {
                context.loopGuard.forgetSeen(batch.identities)
                batch.outcome?.ended(isStored: false)
                countUnrepeatable(batch)
                context.states.withLock { [link] states in
                    for name in batch.states { states.forget(name, link: link) }
                }
                router.withdraw(batch.intake.departures)
                context.bus.emit(&batch.unrepeated)
                return .refuse
            }
        } else if let writer, !batch.intake.seen.isEmpty {
            writer.pending.add { $0.seen += batch.intake.seen }
        }
        if let outcome = batch.outcome {
            context.loopGuard.recordStored(batch.identities)
            outcome.ended(isStored: true)
        }
        context.bus.emit(&batch.events)
        // Last, since no other batch waits for this one any more: no deadlock. If the batch is refused, its stored and
        // emitted messages come again, and count as second copies then.
        guard batch.others.allSatisfy({ $0.wait() }) else { return .refuse }
        CrashPoint.beforeWrite.pass()
        return .acknowledge
    }

    /// Releases the spare batch.
    func close() { spare.withLock { $0 = nil } }

    private func countUnrepeatable(_ batch: Batch) {
        guard batch.unrepeatable.count > 0 else { return }
        context.reporter.count(
            .dropped,
            broker: broker.name,
            topic: batch.unrepeatable.topic,
            reason: "the store cannot be written, and the broker does not send it again",
            number: batch.unrepeatable.count
        )
    }

    func clientWroteAcknowledgements(_ client: Client) {
        CrashPoint.afterWrite.pass()
        writer?.wroteAcknowledgements()
    }

    /// - Parameter message: Not changed, here and below; `inout` avoids the reference counting of a copy.
    private func receive(_ message: inout Message, _ batch: inout Batch) {
        let plan = knownPlan(for: message, batch.router) ?? makePlan(for: message, batch.router)
        guard plan.isUsual || receiveUnusual(&message, plan, &batch) else { return }
        guard message.isPlain, !message.isRetained, !format.usesEnvelopes, !format.needsEchoWindow else {
            receiveSpecial(&message, plan, &batch)
            (batch.passage, batch.isReplay, batch.replyName) = (.none, false, nil)
            return
        }
        if plan.tracksState { claimState(of: message, plan, &batch) }
        let decoded = DecodedMessage(payload: message.payload)
        let number = context.bus.makeNumber()
        for position in plan.places.indices { add(&message, plan.places[position], decoded, number, &batch) }
        if plan.tracksState { batch.passage = .none }
    }

    /// Handles messages with metadata, possible echoes, and messages that are too large. Not inlined, so that plain
    /// messages, the common case, do not pay for its set-up.
    @inline(never)
    private func receiveSpecial(_ message: inout Message, _ plan: TopicPlan, _ batch: inout Batch) {
        // The client omits payloads above the limit.
        if let size = message.omittedPayloadSize {
            dropTooLarge(message, size, plan, &batch)
            return
        }
        let isReplay = isReplay(message, plan)
        batch.isReplay = isReplay
        var decoded = format.decode(message)
        mapReplyTopic(&decoded, &batch)
        if let id = decoded.id, id.source == context.bus.source {
            guard !id.isTagOurs else {
                // Not reported if expected: without No Local every publish comes back, and retained messages come with
                // each connection.
                if format.version == .v5, !isReplay {
                    count(.loop, message, "our own event came back", level: .debug)
                }
                return
            }
            count(.forged, message, "claims an identity that this bus has not assigned: treated as new")
            (decoded.id, decoded.origin) = (nil, nil)
        }
        if decoded.id != nil || isReplay { decoded.digest = context.loopGuard.digest(decoded.payload) }
        if message.isRetained, !plan.tracksState {
            plan.trackState()
            recordState(of: message, plan, &batch)
        }
        if let id = decoded.id {
            _ = context.loopGuard.recordPublished(id, decoded.digest, link: link, topic: message.topic)
        } else if format.needsEchoWindow, !isReplay,
            context.loopGuard.isEcho(link: link, topic: message.topic, payload: message.payload)
        {
            return
        }
        let number = decoded.id == nil ? context.bus.makeNumber() : 0
        var isStateClaimed = !plan.tracksState || isReplay
        for place in plan.places {
            if let id = decoded.id {
                let inbound = LoopGuard.InboundEvent(id: id, name: place.match.event, digest: decoded.digest)
                switch recordSeen(inbound, place, &batch) {
                case .first: break
                case .changed:
                    count(.forged, message, "another message had the same identity: treated as new")
                case .again:
                    // Retained messages come again with each connection.
                    if !isReplay { count(.loop, message, "another copy came before", level: .debug) }
                    continue
                }
                batch.identities.append(inbound)
            }
            guard !isReplay || isNews(message, place, decoded.digest, plan, &batch) else { continue }
            if !isStateClaimed { claimState(of: message, plan, &batch) }
            isStateClaimed = true
            add(&message, place, decoded, number, &batch)
        }
    }

    private func recordSeen(_ inbound: LoopGuard.InboundEvent, _ place: EventPlace, _ batch: inout Batch)
        -> CopyWindow.Copy
    {
        guard writer != nil else { return context.loopGuard.recordSeen(inbound) }
        guard place.isDurable else {
            return context.loopGuard.recordSeen(inbound, isUnstored: batch.router.table.hasDurableInbound)
        }
        let outcome = batch.outcome ?? CommitOutcome()
        batch.outcome = outcome
        let (copy, other) = context.loopGuard.recordSeen(inbound, for: outcome)
        if let other, !batch.others.contains(where: { $0 === other }) { batch.others.append(other) }
        return copy
    }

    /// Adds the event of a message to the batch, or the message to its store changes.
    ///
    /// - Parameter number: The number of the event on this bus; used if the message has no identity.
    private func add(
        _ message: inout Message,
        _ place: EventPlace,
        _ decoded: DecodedMessage,
        _ number: UInt64,
        _ batch: inout Batch
    ) {
        if place.isDurable, addToStore(&message, place, decoded, number, &batch) {
            if message.qos != .atLeastOnce {
                batch.unrepeatable = (batch.unrepeatable.count + 1, message.topic)
            }
            return
        }
        let event = event(place, &message, decoded, number, batch, isForwarded: false)
        batch.events.append(event, to: place.destination)
        if writer != nil, message.qos != .atLeastOnce { batch.unrepeated.append(event, to: place.destination) }
    }

    /// - Parameter level: The log level if nothing was lost; nil for the default of the kind.
    func count(_ kind: CountedStatus, _ message: Message, _ reason: String, level: Logger.Level? = nil) {
        context.reporter.count(kind, broker: broker.name, topic: message.topic, reason: reason, level: level)
    }
}
