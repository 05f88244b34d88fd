import AsyncEventBus
import Locking
public import Mosquitto

/// Two bridges of one bus map the same topics of the same broker to the same events: each message would come to the bus
/// twice, and a copy without an identity cannot be recognised.
public struct BridgeConflict: Error, Sendable, CustomStringConvertible {
    /// The name of the broker in the refused bridge.
    public let broker: String
    /// The address of the broker that both bridges have.
    public let url: BrokerURL
    /// The topic templates of the conflicting routes: of the refused bridge, then of the other one.
    public let topics: [String]

    /// One line for display, with advice.
    public var description: String {
        let (topic, other) = (escapedForLog(topics[0]), escapedForLog(topics[1]))
        return "broker \"\(escapedForLog(broker))\": another bridge of this bus maps the same topics at \(url) "
            + "(\"\(topic)\" and \"\(other)\") to the same events, so that each message would come twice. "
            + "Give all routes to one bridge, narrow one of them, or use a bus for each bridge"
    }
}

/// Registers the inbound routes of all bridges of this process.
final class BridgeRegister: Sendable {
    /// The inbound routes of one bridge from one broker.
    struct InboundRoutes: Sendable {
        let broker: String
        let urls: [BrokerURL]
        let routes: [Route]

        init(_ broker: Broker, _ routes: [Route]) {
            self.broker = broker.name
            urls = broker.urls
            self.routes = routes.filter { $0.broker == broker.name && $0.direction.includesIn }
        }

        /// The conflict with the routes of another bridge; nil if there is none.
        func conflict(with other: InboundRoutes) -> BridgeConflict? {
            let places = Set(other.urls.map(Place.init))
            guard let url = urls.first(where: { places.contains(Place($0)) }) else { return nil }
            var overlaps = RouteOverlaps()
            for (position, route) in other.routes.enumerated() {
                overlaps.insert(position, route.topic.template, route.event.template)
            }
            for route in routes {
                let same = overlaps.first(route.topic.template, route.event.template, isAnyEnough: true) { position in
                    RouteCheck.overlap(other.routes[position], route, \.topic.template, \.event.template)
                }
                guard let same else { continue }
                let topics = [route, other.routes[same]].map(\.topic.template.text)
                return BridgeConflict(broker: broker, url: url, topics: topics)
            }
            return nil
        }
    }

    /// The address of a broker, regardless of credentials and transport security.
    private struct Place: Hashable {
        let host: String
        let port: UInt16

        init(_ url: BrokerURL) {
            host = url.transport == .unix ? url.host : url.host.lowercased()
            port = url.port
        }
    }

    /// The registration of one bridge, until ``end()`` or `deinit`.
    final class Entry: Sendable {
        private let number: UInt64
        private let register: BridgeRegister

        fileprivate init(_ number: UInt64, _ register: BridgeRegister) {
            (self.number, self.register) = (number, register)
        }

        deinit { end() }

        /// Replaces the routes.
        func change(to inbound: [InboundRoutes]) throws(BridgeConflict) { try register.change(number, to: inbound) }

        /// Removes the registration.
        func end() { register.state.withLock { $0.inbound[number] = nil } }
    }

    private struct State {
        var inbound: [UInt64: (bus: String, inbound: [InboundRoutes])] = [:]
        var latest: UInt64 = 0

        mutating func register(
            _ inbound: [InboundRoutes],
            of bus: String,
            as number: UInt64
        ) throws(BridgeConflict) {
            for (other, entry) in self.inbound where entry.bus == bus && other != number {
                for own in inbound {
                    for known in entry.inbound {
                        if let conflict = own.conflict(with: known) { throw conflict }
                    }
                }
            }
            self.inbound[number] = (bus, inbound)
        }
    }

    static let shared = BridgeRegister()

    private let state = Locked(State())

    /// Registers the inbound routes of a bridge. The source identifies the bus, which does not know its bridges.
    func add(_ inbound: [InboundRoutes], to bus: String) throws(BridgeConflict) -> Entry {
        let number = try state.withLock { state throws(BridgeConflict) in
            state.latest += 1
            try state.register(inbound, of: bus, as: state.latest)
            return state.latest
        }
        return Entry(number, self)
    }

    /// Replaces the routes of a bridge, unless it has ended.
    private func change(_ number: UInt64, to inbound: [InboundRoutes]) throws(BridgeConflict) {
        try state.withLock { state throws(BridgeConflict) in
            guard let bus = state.inbound[number]?.bus else { return }
            try state.register(inbound, of: bus, as: number)
        }
    }
}
