import AsyncEventBus
import Locking

/// The last state (retained message) of each event, and its source: a retained message that a broker sends upon
/// subscribing may be known already, or older than a state forwarded since. Pure.
///
/// Retained messages carry no comparable time. But nothing came from a broker while its connection was lost, and states
/// that were forwarded in that time are on their way to it. So a state that came from elsewhere since the connection
/// was lost counts as newer. The rule gives the same answer for both brokers, so both end up with the same state.
///
/// A link identifies the connection to a broker. Bounded: see the capacities below.
struct RetainedStates {
    /// How a retained message sent upon subscribing compares with the known states.
    enum Verdict: Hashable {
        case news
        /// Equals the state last received from, or published to, this broker.
        case unchanged
        /// Another state came since the connection to this broker was lost: it is on its way to this broker, or was
        /// acknowledged by it.
        case outdated
    }

    /// The state of an event at one broker.
    struct Place: Hashable {
        let name: EventName
        let link: String
    }

    private struct Newest {
        let time: UInt64
        let link: String
    }

    /// The digest of the state at each broker.
    private var known = Generations<Place, UInt64>(capacity: 65_536)
    /// The last state of each event from any broker or from the bus.
    private var newest = Generations<EventName, Newest>(capacity: 65_536)
    /// The number of states on their way to a broker: about to be forwarded, or published and not acknowledged.
    private var inFlight: [Place: Int] = [:]
    /// When a broker last acknowledged a state.
    private var acknowledged = Generations<Place, UInt64>(capacity: 65_536)
    /// When the connection to a broker was last lost.
    private var losses: [String: UInt64] = [:]
    /// A logical clock.
    private var time: UInt64 = 0

    /// Whether any state is known, which is false for most bridges.
    private(set) var isAnyKnown = false

    func isKnown(_ name: EventName, link: String) -> Bool { known[Place(name: name, link: link)] != nil }

    /// Judges a retained message that a broker sent upon subscribing; records it if it is news.
    ///
    /// - Parameters:
    ///   - isMirrored: Whether the bridge publishes states of the event to this broker as well.
    ///   - isOwed: Whether the store holds a state for this broker.
    mutating func replayed(
        _ name: EventName,
        _ digest: UInt64,
        from link: String,
        isMirrored: Bool,
        isOwed: Bool = false
    ) -> Verdict {
        let place = Place(name: name, link: link)
        if known[place] == digest { return .unchanged }
        if isMirrored {
            if isOwed || inFlight[place] != nil { return .outdated }
            let loss = losses[link] ?? 0
            if let newest = newest[name], newest.link != link, newest.time > loss { return .outdated }
            // The acknowledgement may overtake retained messages that wait for room in the broker's send window.
            if let acknowledged = acknowledged[place], acknowledged > loss { return .outdated }
        }
        passed(name, digest, from: link)
        return .news
    }

    /// Records a state that came live, or was emitted on this bus (then the link is empty), and is to be forwarded.
    mutating func passed(_ name: EventName, _ digest: UInt64, from link: String) {
        isAnyKnown = true
        time += 1
        newest[name] = Newest(time: time, link: link)
        known[Place(name: name, link: link)] = digest
    }

    /// Records the state that a broker has after a publish.
    mutating func published(_ name: EventName, _ digest: UInt64, to link: String) {
        isAnyKnown = true
        known[Place(name: name, link: link)] = digest
    }

    /// Marks states as on their way to brokers, even if a lost connection was not noticed yet.
    mutating func sent(to places: [Place]) {
        for place in places { inFlight[place, default: 0] += 1 }
    }

    /// Marks a live state as on its way to other brokers. Returns false, and marks nothing, if another state is on its
    /// way to the broker that it came from: the broker sends in the order in which it receives, so this state is older.
    mutating func sent(to places: [Place], unlessInFlightTo own: [Place]) -> Bool {
        guard own.allSatisfy({ inFlight[$0] == nil }) else { return false }
        sent(to: places)
        return true
    }

    /// Ends the marks: the brokers have acknowledged the states, or will never receive them.
    mutating func settled(at places: [Place], areAcknowledged: Bool) {
        time += 1
        for place in places {
            inFlight[place] = inFlight[place].flatMap { $0 > 1 ? $0 - 1 : nil }
            if areAcknowledged { acknowledged[place] = time }
        }
    }

    /// Records the state that a broker has after a live message.
    mutating func received(_ name: EventName, _ digest: UInt64, from link: String) {
        isAnyKnown = true
        known[Place(name: name, link: link)] = digest
    }

    /// The connection to a broker was lost.
    mutating func lost(_ link: String) {
        losses[link] = time
    }

    /// The message could not be stored: the broker sends it again, and it must count as news.
    mutating func forget(_ name: EventName, link: String) { known[Place(name: name, link: link)] = nil }
}

/// A state on its way to other brokers: from its arrival until each client has it, or another object tracks it.
final class StateInFlight: Sendable {
    private let states: Locked<RetainedStates>
    private let places: Locked<[RetainedStates.Place]>

    init(to places: [RetainedStates.Place], _ states: Locked<RetainedStates>) {
        states.withLock { $0.sent(to: places) }
        (self.places, self.states) = (Locked(places), states)
    }

    /// - Parameter places: Already marked in `states`.
    init(marked places: [RetainedStates.Place], _ states: Locked<RetainedStates>) {
        (self.places, self.states) = (Locked(places), states)
    }

    /// - Parameters:
    ///   - link: The broker; nil for all brokers.
    ///   - isAcknowledged: Whether the broker has acknowledged the state.
    func end(at link: String? = nil, isAcknowledged: Bool = false) {
        let ended = places.withLock { places in
            let ended = places.filter { link == nil || $0.link == link }
            places.removeAll { link == nil || $0.link == link }
            return ended
        }
        states.withLock { $0.settled(at: ended, areAcknowledged: isAcknowledged) }
    }

    deinit { end() }
}

/// How a state from a broker is forwarded to other brokers.
enum StatePassage: Sendable {
    /// Not a state, or not mirrored: no order to keep.
    case none
    case inFlight(StateInFlight)
    /// Not forwarded: another state is on its way to the broker, which sent this one earlier.
    case outdated

    /// The state is on its way to that broker by other means: its client or its stored queue has it.
    func reached(_ link: String) {
        if case .inFlight(let state) = self { state.end(at: link) }
    }
}
