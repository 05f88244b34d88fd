internal import MQTTBridge

/// The routes of a process, and the subscriptions that they need.
struct BridgeRoutes {
    let routes: [Route]
    /// The filters of each session, by the name of the broker.
    let filters: [String: Set<String>]
    /// The first segments of the events that outbound routes publish.
    let published: Set<String>

    /// Creates durable routes.
    private init(_ inbound: [Triple], _ outbound: [Triple]) {
        routes = inbound.map { $0.route(.in) } + outbound.map { $0.route(.out) }
        filters = Dictionary(grouping: inbound, by: \.broker).mapValues { Set($0.map(\.filter)) }
        published = Set(outbound.map { String($0.event.description.prefix { $0 != "." }) })
    }

    /// Whether an inbound route matches a topic at a broker.
    func want(_ topic: String, from broker: String) -> Bool {
        filters[broker]?.contains { SimulatedBroker.matches($0, topic) } ?? false
    }

    private struct Triple {
        let topic: TopicTemplate
        let event: EventTemplate
        let broker: String
        let isState: Bool

        init(_ topic: TopicTemplate, _ event: EventTemplate, at broker: String, isState: Bool = false) {
            (self.topic, self.event, self.broker, self.isState) = (topic, event, broker, isState)
        }

        var filter: String { topic.description.replacing("{key}", with: "+") }

        func route(_ direction: Route.Direction) -> Route {
            Route(
                topic,
                event,
                direction: direction,
                broker: broker,
                retain: isState ? .always : .never,
                durability: .disk
            )
        }
    }

    /// The number of editions of the near bridge's routes.
    static let editions = 3

    /// The routes of the near bridge, which copies from the first broker to the second. The filters of the editions overlap
    /// in part.
    ///
    /// - Parameter isRing: Whether the near bridge subscribes to `echo/{key}`, its own events as the far bridge returns them.
    static func near(_ edition: Int, isRing: Bool) -> BridgeRoutes {
        let echo = isRing ? [Triple("echo/{key}", "out.{key}", at: "first")] : []
        let copy = Triple("copy/{key}", "in.{key}", at: "second")
        let out = Triple("out/{key}", "out.{key}", at: "second")
        let state = Triple("state/{key}", "state.{key}", at: "second", isState: true)
        return switch edition {
        case 0: BridgeRoutes([all] + echo, [copy, out, state])
        case 1: BridgeRoutes([some[0], some[1]] + echo, [copy, out, state])
        default: BridgeRoutes([some[1], some[2]] + echo, [out, state])
        }
    }

    private static let all = Triple("in/{key}", "in.{key}", at: "first")
    private static let some = [
        Triple("in/0", "in.0", at: "first"), Triple("in/1", "in.1", at: "first"), Triple("in/2", "in.2", at: "first"),
    ]

    /// The routes of the far bridge, which receives the near bridge's messages at the second broker.
    ///
    /// - Parameter isRing: Whether the far bridge forwards them to the first broker, where the near bridge receives them.
    static func far(isRing: Bool) -> BridgeRoutes {
        let (copy, out) = (EventTemplate("copy.{key}"), EventTemplate("out.{key}"))
        return BridgeRoutes(
            [
                Triple("copy/{key}", copy, at: "second"), Triple("out/{key}", out, at: "second"),
                Triple("state/{key}", "state.{key}", at: "second"),
            ],
            isRing ? [Triple("in/{key}", copy, at: "first"), Triple("echo/{key}", out, at: "first")] : []
        )
    }
}
