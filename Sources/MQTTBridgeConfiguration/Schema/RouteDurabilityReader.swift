import MQTTBridge
import Mosquitto

/// Reads the keys of a route that concern the store.
struct RouteDurabilityReader {
    /// Keys that have an effect only on stored messages.
    private static let durableKeys = ["ttl", "limits", "policy"]

    private let durability: Durability?
    private let timeToLive: Duration?
    private let limits: StoreLimits?
    private let policy: StorePolicy?

    /// Complains about keys without effect if the route stores no messages.
    init(_ fields: Fields, qos: QoS?, hasStore: Bool) {
        durability = fields["durability"]?.choice(Durability.self)
        timeToLive = fields["ttl"]?.duration(.milliseconds(1) ... .seconds(365 * 86_400), example: "1h")
        limits = fields["limits"]?.storeLimits(otherwise: .largest)
        policy = fields["policy"]?.choice(StorePolicy.self)
        let reason: String? =
            switch durability {
            case nil where fields["durability"] != nil: nil
            case nil where !hasStore: "without a store"
            case nil where qos == .atMostOnce: "with qos: 0, unless the route has durability: disk"
            case .memory: "with durability: memory"
            default: nil
            }
        guard let reason else { return }
        let advice = (hasStore ? "Write durability: disk" : "Add store: {} to the file") + ", or remove it"
        for element in Self.durableKeys.compactMap({ fields[$0] }) {
            element.complain("\"\(element.name)\" has no effect \(reason)", advice, at: element.keyPosition)
        }
    }

    func apply(to route: inout Route) {
        route.durability = durability
        route.timeToLive = timeToLive
        route.limits = limits
        route.policy = policy
    }
}
