import AsyncEventBus
import Mosquitto

/// How to handle messages on one topic: determined once, then cached with the topic.
///
/// Not sendable: used only on the thread of the broker's client.
final class TopicPlan {
    /// The generation of the router that the plan was made by; it is invalid for another one.
    let generation: UInt64
    let places: [EventPlace]
    /// The matching routes that map the topic to no valid event.
    let unnamed: [Route]
    /// The states of this broker that other brokers' retained messages are published to.
    let mirrored: [RetainedStates.Place]
    /// The states of other brokers that retained messages on the topic are published to, if the topic is mirrored.
    let mirrors: [RetainedStates.Place]
    /// The subset of `mirrors` that every message is published to as retained, with or without the flag.
    let fixedMirrors: [RetainedStates.Place]
    /// Whether live messages keep their publisher's retain flag, and retained messages are marked.
    let marksKept: Bool
    /// Whether no current subscription matches the topic.
    let isStray: Bool
    /// Whether messages need no special treatment: every matching route has an event, and no state is tracked.
    private(set) var isUsual: Bool
    /// Whether to record messages on the topic as its state.
    private(set) var tracksState = false

    init(
        generation: UInt64,
        places: [EventPlace],
        unnamed: [Route] = [],
        mirrored: [RetainedStates.Place] = [],
        mirrors: [RetainedStates.Place] = [],
        fixedMirrors: [RetainedStates.Place] = [],
        marksKept: Bool = false,
        isStray: Bool = false
    ) {
        self.generation = generation
        self.places = places
        self.mirrored = mirrored
        self.mirrors = mirrors
        self.fixedMirrors = fixedMirrors
        self.marksKept = marksKept
        self.unnamed = unnamed
        self.isStray = isStray
        isUsual = !places.isEmpty && unnamed.isEmpty
        if !mirrored.isEmpty { trackState() }
    }

    func trackState() {
        tracksState = true
        isUsual = false
    }
}

/// The event and the destination that one route maps a topic to.
final class EventPlace {
    /// The properties that plain messages, which carry no metadata, must have in common to share an origin.
    struct Kind: Equatable {
        let qos: QoS
        let isRetained: Bool
        let isReplayed: Bool
        let isForwarded: Bool
    }

    /// The number of events that share an origin. Receiver and listeners count references to it: a single object would
    /// move between their processor caches with each event.
    private static let usesLimit = 256

    let match: RouteTable.Inbound
    let destination: EventDestination
    /// Whether messages are stored. A copy, since the route is expensive to copy.
    let isDurable: Bool
    /// Whether some route publishes retained messages of this event to the topic's broker.
    let isMirrored: Bool
    private var shared: EventOrigin?
    private var sharedKind: Kind?
    private var uses = 0

    init(_ match: RouteTable.Inbound, destination: EventDestination, isMirrored: Bool) {
        self.match = match
        self.isMirrored = isMirrored
        self.destination = destination
        isDurable = match.route.isDurable
    }

    /// The shared origin; nil if the message cannot share it.
    func origin(of kind: Kind) -> EventOrigin? {
        guard sharedKind == kind, uses < Self.usesLimit else { return nil }
        uses += 1
        return shared
    }

    /// Shares an origin with the next messages.
    func share(_ origin: EventOrigin, among kind: Kind) -> EventOrigin {
        (shared, sharedKind, uses) = (origin, kind, 1)
        return origin
    }
}
