import AsyncEventBus
import Locking
import MessageStore

/// The loop guard for all brokers of a bridge. See docs/loops.md.
final class LoopGuard: Sendable {
    /// An inbound event. The digest of the payload is part of it: otherwise a client that learns an identity before the
    /// event arrives could make the event count as a second copy.
    struct InboundEvent: Hashable {
        let id: EventID
        let name: EventName
        let digest: UInt64
    }

    private struct Key: Hashable {
        let id: EventID
        let name: EventName

        init(_ event: InboundEvent) { (id, name) = (event.id, event.name) }
    }

    private struct Placed: Hashable {
        let id: EventID
        let digest: UInt64
        let link: String
        let topic: ExactText
    }

    private struct Content: Hashable {
        let name: EventName
        let payload: Payload
    }

    private struct State {
        var received: CopyWindow
        /// Events received only by routes in memory, which a store would keep on a durable route.
        var unstored: SeenWindow
        /// Events whose commit has not ended.
        var commits: [InboundEvent: CommitOutcome] = [:]
        /// Which content of which event is on which topic of which broker.
        var placed = SeenWindow()
        var echoes: [String: EchoWindow] = [:]
        var breaker: StormBreaker
    }

    /// Computes the digests of payloads.
    let digest: KeyedHash
    private let now: @Sendable () -> ContinuousClock.Instant
    private let state: Locked<State>

    /// - Parameters:
    ///   - span: How long an inbound event is remembered.
    ///   - count: How many inbound events are remembered.
    ///   - digest: Must be the hash of the digests given to ``remember(_:now:)``.
    init(
        repeatLimit: Int,
        turnLimit: Int,
        span: Duration = .seconds(600),
        count: Int = 65_536,
        digest: KeyedHash = KeyedHash(),
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        (self.digest, self.now) = (digest, now)
        let state = State(
            received: CopyWindow(capacity: count, span: span),
            // As long as the others: a copy of one that is forgotten here would be dropped as stored.
            unstored: SeenWindow(capacity: count, span: span),
            breaker: StormBreaker(limit: repeatLimit, turnLimit: turnLimit)
        )
        self.state = Locked(state)
    }

    /// Remembers events that came in before this process began, oldest first.
    func remember(_ identities: [SeenIdentity], now: Int64) {
        let instant = self.now()
        state.withLock { state in
            for identity in identities {
                guard let name = try? EventName(identity.event) else { continue }
                let id = EventID(source: identity.source, tag: identity.tag)
                let age = Duration.nanoseconds(max(0, now - identity.time))
                let event = InboundEvent(id: id, name: name, digest: identity.digest)
                _ = state.received.insert(Key(event), event.digest, at: instant - age)
            }
        }
    }

    /// Records an inbound event. Returns whether it came before under this name.
    ///
    /// - Parameter isUnstored: Whether a durable route exists that would store another copy.
    func recordSeen(_ event: InboundEvent, isUnstored: Bool = false) -> CopyWindow.Copy {
        state.withLock { state in
            let copy = state.received.insert(Key(event), event.digest, at: now())
            if isUnstored, copy != .again { _ = state.unstored.insert(event, at: now()) }
            return copy
        }
    }

    /// Records an inbound event that is to be stored with its batch. An earlier copy counts only if it is stored too: a
    /// copy in memory is lost with the process.
    ///
    /// - Returns: As ``recordSeen(_:isUnstored:)``. With `again`, also the commit of the first copy if it has not
    ///   ended: this copy must not be acknowledged before.
    func recordSeen(_ event: InboundEvent, for commit: CommitOutcome) -> (copy: CopyWindow.Copy, other: CommitOutcome?)
    {
        state.withLock { state in
            var copy = state.received.insert(Key(event), event.digest, at: now())
            if copy == .again {
                if let other = state.commits[event] { return (.again, other === commit ? nil : other) }
                guard state.unstored.remove(event) else { return (.again, nil) }
                copy = .first
            }
            state.commits[event] = commit
            return (copy, nil)
        }
    }

    /// The commit of inbound events has succeeded.
    func recordStored(_ events: some Sequence<InboundEvent>) {
        state.withLock { state in
            for event in events { state.commits[event] = nil }
        }
    }

    /// The commit of inbound events has failed: they come again, and must not count as second copies.
    func forgetSeen(_ events: some Sequence<InboundEvent>) {
        state.withLock { state in
            for event in events {
                state.received.remove(Key(event), event.digest)
                state.unstored.remove(event)
                state.commits[event] = nil
            }
        }
    }

    /// Records that an event is, or is about to be, on a topic of a broker. Returns false if that was known.
    ///
    /// - Parameter digest: The digest of the payload.
    func recordPublished(_ id: EventID, _ digest: UInt64, link: String, topic: String) -> Bool {
        let placed = Placed(id: id, digest: digest, link: link, topic: ExactText(topic))
        return state.withLock { $0.placed.insert(placed, at: now()) }
    }

    /// Takes back ``recordPublished(_:_:link:topic:)``: the event will not be published.
    func forgetPublished(_ id: EventID, _ digest: UInt64, link: String, topic: String) {
        let placed = Placed(id: id, digest: digest, link: link, topic: ExactText(topic))
        state.withLock { state in _ = state.placed.remove(placed) }
    }

    /// To be called before a publish whose echo carries no mark that it is ours.
    func willPublish(_ key: EchoWindow.Key, link: String) {
        state.withLock { $0.echoes[link, default: EchoWindow()].willPublish(key) }
    }

    /// The broker has taken the publish, or will never get it.
    func didPublish(_ key: EchoWindow.Key, link: String, isTaken: Bool) {
        state.withLock { $0.echoes[link]?.didPublish(key, isTaken: isTaken, at: now()) }
    }

    /// Returns whether a received message is an echo, which is then no longer expected.
    func isEcho(link: String, topic: String, payload: [UInt8]) -> Bool {
        state.withLock { state in
            state.echoes[link]?.received(EchoWindow.Key(topic: topic, payload: payload), at: now()) ?? false
        }
    }

    /// Whether the circuit breaker lets an event pass that has no identity, or would lose it at the target.
    func passes(_ event: Event, from source: String, to target: String, countsRate: Bool) -> StormBreaker.Verdict {
        let content = Content(name: event.name, payload: event.payload)
        return state.withLock { state in
            state.breaker.passes(content, from: source, to: target, countsRate: countsRate, at: now())
        }
    }
}
