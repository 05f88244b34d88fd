internal import AsyncEventBus
internal import MQTTBridge
internal import Mosquitto

/// The difference between two setups, as far as a running bridge can follow it. Pure.
struct SetupChange {
    /// The new setup differs from the running one in something that only a new process can take over.
    struct NeedsRestart: Error, CustomStringConvertible {
        /// The parts that differ.
        let parts: [String]

        var description: String { "it changes \(parts.joined(separator: ", ")); restart the daemon for that" }
    }

    let routes: [Route]
    let addedRoutes: [Route]
    let removedRoutes: [Route]
    let addedBrokers: [Broker]
    let removedBrokers: [String]
    /// Whether the bridge has nothing to do. The order of routes matters: an event has the order of its routes.
    let isEmpty: Bool

    /// - Throws: ``NeedsRestart``.
    init(from old: Setup, to new: Setup) throws(NeedsRestart) {
        let (known, wanted) = (Self.byName(old.brokers), Self.byName(new.brokers))
        var parts = new.brokers.filter { broker in known[broker.name].map { !$0.isSame(as: broker) } ?? false }
            .map { "broker \"\(escapedForLog($0.name))\"" }
        if old.options != new.options { parts.append("the limits") }
        if old.store != new.store { parts.append("the store") }
        guard parts.isEmpty else { throw NeedsRestart(parts: parts) }
        addedBrokers = new.brokers.filter { known[$0.name] == nil }
        removedBrokers = old.brokers.map(\.name).filter { wanted[$0] == nil }
        let formerRoutes = old.effectiveRoutes
        routes = new.effectiveRoutes
        let (former, current) = (Set(formerRoutes), Set(routes))
        addedRoutes = routes.filter { !former.contains($0) }
        removedRoutes = formerRoutes.filter { !current.contains($0) }
        isEmpty = formerRoutes == routes && addedBrokers.isEmpty && removedBrokers.isEmpty
    }

    private static func byName(_ brokers: [Broker]) -> [String: Broker] {
        Dictionary(brokers.map { ($0.name, $0) }) { $1 }
    }
}

extension Broker {
    /// Whether a connection to one broker is as good as a connection to the other one. A generated client identifier differs
    /// each time.
    fileprivate func isSame(as other: Broker) -> Bool {
        guard options.isClientIDGenerated, other.options.isClientIDGenerated else { return self == other }
        var (own, other) = (self, other)
        (own.options.clientID, other.options.clientID) = ("", "")
        return own == other
    }
}
