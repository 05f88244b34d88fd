import MQTTBridge
import Mosquitto

/// Reads what a route says about the store.
struct RouteDurabilityReader {
    /// What only the store does for a route.
    private static let durableKeys = ["ttl", "limits", "policy"]

    private let durability: Durability?
    private let timeToLive: Duration?
    private let limits: StoreLimits?
    private let policy: StorePolicy?

    /// Complains about what has no effect because nothing of the route is stored.
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
