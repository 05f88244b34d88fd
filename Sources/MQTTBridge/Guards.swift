import AsyncEventBus
import Locking

/// What keeps messages from going in circles, for all brokers of a bridge. See docs/loops.md.
final class Guards: Sendable {
    private struct Heard: Hashable {
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

    init(repeatLimit: Int, turnLimit: Int) {
        state = Locked(State(breaker: StormBreaker(limit: repeatLimit, turnLimit: turnLimit)))
    }

    /// An event came in. Returns whether it is the first copy under this name.
    func hears(_ id: EventID, as name: EventName) -> Bool {
        state.withLock { $0.heard.insert(Heard(id: id, name: name), at: .now) }
    }

    /// An event is, or is about to be, on a topic of a broker. Returns whether it was not known to be there.
    func places(_ id: EventID, link: String, topic: String) -> Bool {
        state.withLock { $0.placed.insert(Placed(id: id, link: link, topic: ExactText(topic)), at: .now) }
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
        let key = EchoWindow.Key(topic: topic, payload: payload)
        return state.withLock { $0.echoes[link]?.received(key, at: .now) ?? false }
    }

    /// Whether content that loses, or had, no identity on its way may be passed on once more.
    func passes(_ event: Event, from source: String, to target: String, countsRate: Bool) -> StormBreaker.Verdict {
        let content = Content(name: event.name, payload: event.payload)
        return state.withLock { state in
            state.breaker.passes(content, from: source, to: target, countsRate: countsRate, at: .now)
        }
    }
}
