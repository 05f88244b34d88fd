import AsyncEventBus
import Locking
import MessageStore

/// What keeps messages from going in circles, for all brokers of a bridge. See docs/loops.md.
final class Guards: Sendable {
    /// An event under a name.
    struct Heard: Hashable {
        let id: EventID
        let name: EventName
    }

    private struct Placed: Hashable {
        let id: EventID
        let link: String
        let topic: ExactText
    }

    private struct Content: Hashable {
        let name: EventName
        let payload: Payload
    }

    private struct State {
        var heard = SeenWindow()
        var placed = SeenWindow()
        var echoes: [String: EchoWindow] = [:]
        var breaker: StormBreaker
    }

    private let state: Locked<State>

    /// - Parameters:
    ///   - span: How long an event that came in is known again.
    ///   - count: How many are.
    init(repeatLimit: Int, turnLimit: Int, span: Duration = .seconds(600), count: Int = 65_536) {
        var state = State(breaker: StormBreaker(limit: repeatLimit, turnLimit: turnLimit))
        state.heard = SeenWindow(capacity: count, span: span)
        self.state = Locked(state)
    }

    /// Knows again what came in before this process began, oldest first.
    func remember(_ identities: [SeenIdentity], now: Int64) {
        let instant = ContinuousClock.now
        state.withLock { state in
            for identity in identities {
                guard let name = try? EventName(identity.event) else { continue }
                let id = EventID(source: identity.source, tag: identity.tag)
                let age = Duration.nanoseconds(max(0, now - identity.time))
                _ = state.heard.insert(Heard(id: id, name: name), at: instant - age)
            }
        }
    }

    /// An event comes in. Returns whether it is the first copy under this name.
    func hears(_ heard: Heard) -> Bool {
        state.withLock { $0.heard.insert(heard, at: .now) }
    }

    /// Events that came in could not be kept: they come again, and are not to be taken for second copies.
    func unhear(_ heard: some Sequence<Heard>) {
        state.withLock { state in
            for one in heard { state.heard.remove(one) }
        }
    }

    /// An event is, or is about to be, on a topic of a broker. Returns whether it was not known to be there.
    func places(_ id: EventID, link: String, topic: String) -> Bool {
        state.withLock { $0.placed.insert(Placed(id: id, link: link, topic: ExactText(topic)), at: .now) }
    }

    /// An event will not be on that topic after all.
    func unplace(_ id: EventID, link: String, topic: String) {
        state.withLock { $0.placed.remove(Placed(id: id, link: link, topic: ExactText(topic))) }
    }

    /// We publish something that will come back without a sign that it is ours.
    func willPublish(_ key: EchoWindow.Key, link: String) {
        state.withLock { $0.echoes[link, default: EchoWindow()].willPublish(key) }
    }

    /// The broker took it, or will never get it.
    func didPublish(_ key: EchoWindow.Key, link: String, isTaken: Bool) {
        state.withLock { $0.echoes[link]?.didPublish(key, isTaken: isTaken, at: .now) }
    }

    /// Something came. Returns whether it is what we published.
    func isEcho(link: String, topic: String, payload: [UInt8]) -> Bool {
        state.withLock { state in
            state.echoes[link]?.received(EchoWindow.Key(topic: topic, payload: payload), at: .now) ?? false
        }
    }

    /// Whether content that loses, or had, no identity on its way may be passed on once more.
    func passes(_ event: Event, from source: String, to target: String, countsRate: Bool) -> StormBreaker.Verdict {
        let content = Content(name: event.name, payload: event.payload)
        return state.withLock { state in
            state.breaker.passes(content, from: source, to: target, countsRate: countsRate, at: .now)
        }
    }
}
