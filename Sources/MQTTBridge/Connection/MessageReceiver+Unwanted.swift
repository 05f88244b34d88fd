import AsyncEventBus
import Locking
import Logging
import MessageStore
import Mosquitto

/// Handles messages without an event, and messages on topics with a retained state.
extension MessageReceiver {
    /// Reports routes that map the topic to no event, and stray messages. Returns whether some route maps it to an
    /// event.
    func receiveUnusual(_ message: inout Message, _ plan: TopicPlan, _ batch: inout Batch) -> Bool {
        for route in plan.unnamed { dropUnnamed(message, route, &batch) }
        if plan.isStray { dropStray(message) }
        if plan.tracksState { recordState(of: message, plan, &batch) }
        return !plan.places.isEmpty
    }

    /// Records the state that a live message sets. If the retain flag is known, a message without it sets none.
    func recordState(of message: Message, _ plan: TopicPlan, _ batch: inout Batch) {
        guard message.omittedPayloadSize == nil, !isReplay(message, plan) else { return }
        if plan.marksKept, hasMarks.withLock({ $0 }), !message.isRetained { return }
        let digest = context.loopGuard.digest(format.decode(message).payload)
        context.states.withLock { [link] states in
            for place in plan.places { states.received(place.match.event, digest, from: link) }
        }
        // If the batch is not stored, the broker may send the message again as a retained one.
        if message.isRetained { batch.states += plan.places.lazy.map(\.match.event) }
    }

    /// Whether the broker had retained a message, and sends it because the bridge has subscribed.
    func isReplay(_ message: Message, _ plan: TopicPlan) -> Bool {
        guard message.isRetained, plan.marksKept, hasMarks.withLock({ $0 }) else { return message.isRetained }
        return !message.properties.subscriptionIdentifiers.isEmpty
    }

    /// Decides whether the state of a live message is older than a state in flight to its topic. Otherwise marks it as
    /// in flight to the other brokers, so that only one of two crossing states is forwarded.
    func claimState(of message: Message, _ plan: TopicPlan, _ batch: inout Batch) {
        guard !plan.mirrored.isEmpty else { return }
        let mirrors = message.isRetained ? plan.mirrors : plan.fixedMirrors
        guard writer?.holdsState(message.topic, for: broker.name) != true,
            context.states.withLock({ $0.sent(to: mirrors, unlessInFlightTo: plan.mirrored) })
        else {
            batch.passage = .outdated
            return
        }
        markInFlight(at: mirrors, &batch)
    }

    /// Takes over the marks of a state in flight to other brokers.
    private func markInFlight(at mirrors: [RetainedStates.Place], _ batch: inout Batch) {
        let state = StateInFlight(marked: mirrors, context.states)
        batch.inFlight.append(state)
        batch.passage = .inFlight(state)
    }

    /// Whether a retained message sent upon subscribing is new, and not known or outdated.
    func isNews(
        _ message: Message,
        _ place: EventPlace,
        _ digest: UInt64,
        _ plan: TopicPlan,
        _ batch: inout Batch
    ) -> Bool {
        let name = place.match.event
        let isOwed = place.isMirrored && writer?.holdsState(message.topic, for: broker.name) == true
        let verdict = context.states.withLock { [link] states in
            let verdict = states.replayed(name, digest, from: link, isMirrored: place.isMirrored, isOwed: isOwed)
            if verdict == .news { states.sent(to: plan.mirrors) }
            return verdict
        }
        switch verdict {
        case .news:
            batch.states.append(name)
            if !plan.mirrors.isEmpty { markInFlight(at: plan.mirrors, &batch) }
            return true
        case .unchanged: return false
        case .outdated:
            count(.dropped, message, "retained message older than a state forwarded since the connection was lost")
            return false
        }
    }

    /// Drops a message that a route maps to no valid event name. On a durable route it leaves a dead letter.
    private func dropUnnamed(_ message: Message, _ route: Route, _ batch: inout Batch) {
        let reason = "route \"\(route.name)\" maps the topic to no valid event: the name would be empty or begin with $"
        guard route.isDurable, let writer else { return count(.dropped, message, reason) }
        let id = context.bus.id(context.bus.makeNumber())
        let now = writer.clock.now
        batch.intake.deadLetters.append(
            DeadLetter(
                direction: .inbound,
                route: route.name,
                broker: broker.name,
                topic: message.topic,
                event: "",
                source: id.source,
                tag: id.tag,
                payload: message.payload,
                payloadSize: message.omittedPayloadSize ?? message.payload.count,
                qos: message.qos.rawValue,
                isRetained: message.isRetained,
                error: reason,
                attempts: 0,
                time: now,
                died: now
            )
        )
        context.reporter.count(
            .deadletter,
            broker: broker.name,
            topic: message.topic,
            reason: reason,
            more: [("event", JSONText.string("")), ("attempts", "0")]
        )
    }

    /// Drops a message that matches no current subscription: the session has one of an earlier configuration.
    private func dropStray(_ message: Message) {
        let reason = "no route matches: the session still has a subscription of an earlier configuration"
        count(.dropped, message, reason)
        let isFirst = isStrayLogged.withLock { isLogged in
            defer { isLogged = true }
            return !isLogged
        }
        guard isFirst else { return }
        context.logger.warning(
            """
            the session has a subscription that no route needs: add a store, which remembers the filters to unsubscribe, \
            or choose another client_id, or run once with session_expiry: 0
            """,
            metadata: [LogKey.broker: "\(broker.name)", LogKey.topic: "\(escapedForLog(message.topic))"]
        )
    }
}
