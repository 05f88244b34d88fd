public import AsyncEventBus
import Mosquitto

/// Explains in words how routes handle a topic or an event, without connecting.
public struct Explanation: Sendable {
    private let brokers: [Broker]
    private let routes: [Route]
    private let options: BridgeOptions
    private let table: RouteTable

    /// - Parameters:
    ///   - brokers: The brokers that routes may name.
    ///   - routes: If empty, one route that maps everything of the first broker both ways, as in ``Bridge``.
    ///   - options: The hop limit appears in the explanation.
    ///   - hasStore: Whether the bridge has a store, so that routes may be durable.
    /// - Throws: ``RouteProblems`` with all problems of the routes.
    public init(
        brokers: [Broker],
        routes: [Route],
        options: BridgeOptions = BridgeOptions(),
        hasStore: Bool = false
    ) throws(RouteProblems) {
        self.brokers = brokers
        self.routes = Route.meant(by: routes, brokers: brokers.map(\.name))
        self.options = options
        table = try RouteTable(self.routes, brokers: Set(brokers.map(\.name)), hasStore: hasStore)
    }

    /// The path of a message on a topic, broker by broker, with one line per step; empty if no route matches.
    public func lines(forTopic topic: String) -> [String] {
        brokers.flatMap { broker in
            table.inbound(topic, broker: broker.name).flatMap { lines(topic, broker, $0) }
        }
    }

    private func lines(_ topic: String, _ broker: Broker, _ match: RouteTable.Inbound) -> [String] {
        let route = match.route
        var lines = [
            "in by route \"\(route.name)\": broker \(broker.name), topic \(escapedForLog(topic)) matches \(route.topic)"
        ]
        lines += captures(route.toEvent, TopicTemplate.levels(of: topic), "/")
        lines.append("  event \(escapedForLog(match.event.text)), QoS \(route.subscriptionQoS.rawValue) at most")
        if route.isDurable {
            lines.append("  durable: acknowledged when it is stored, kept until every durable listener has finished")
        }
        lines.append("  loop guard: \(guardText(broker))")
        for target in table.outbound(match.event) {
            if target.route.broker == broker.name {
                lines.append(
                    "  not back to broker \(broker.name) by route \"\(target.route.name)\": it came from there"
                )
            } else {
                lines += outbound(target, "  then out", from: broker)
            }
        }
        return lines
    }

    /// The path of an event emitted on this bus, with one line per step; empty if no route matches.
    public func lines(forEvent name: EventName) -> [String] {
        table.outbound(name).flatMap { target in
            ["event \(escapedForLog(name.text)) matches \(target.route.event)"]
                + captures(target.route.toTopic, name.segments, ".") + outbound(target, "  out", from: nil)
        }
    }

    /// - Parameter source: The broker that the event comes from; nil for an event emitted on this bus.
    private func outbound(_ target: RouteTable.Outbound, _ prefix: String, from source: Broker?) -> [String] {
        let route = target.route
        if let problem = target.problem { return ["\(prefix) by route \"\(route.name)\": refused: \(problem)"] }
        let retain = Self.text(route.retain, from: source)
        var line = "\(prefix) by route \"\(route.name)\": broker \(route.broker), topic \(escapedForLog(target.topic))"
        line += ", QoS \(route.qos.rawValue), \(retain)"
        if source != nil { line += ", unless it passed \(options.maximumHops) bridges" }
        let durable = route.isDurable ? ["  durable: stored until the broker has taken it"] : []
        guard source == nil, let broker = brokers.first(where: { $0.name == route.broker }) else {
            return [line] + durable
        }
        return [line] + durable + ["  loop guard: listeners here hear it directly; \(guardText(broker))"]
    }

    private static func text(_ retention: Retention, from source: Broker?) -> String {
        switch (retention, source?.options.version) {
        case (.never, _), (.asReceived, nil): "not retained"
        case (.always, _): "retained"
        case (.asReceived, .v5?): "retained if it was to be kept there"
        case (.asReceived, .v3_1_1?): "retained if it was kept there and news when the bridge subscribed"
        }
    }

    private func guardText(_ broker: Broker) -> String {
        let format = broker.wireFormat
        if format.needsEchoWindow {
            return "what this bridge publishes there is known again by topic and payload for 10 s (MQTT 3.1.1)"
        }
        let noLocal = format.version == .v5 ? "No Local" : ""
        guard format.carriesIdentity else { return noLocal }
        let identity = "a copy with this bus's own identity, or one seen before, is dropped"
        return noLocal.isEmpty ? identity : "\(noLocal); \(identity)"
    }

    private func captures(_ mapping: Mapping, _ parts: [String], _ separator: String) -> [String] {
        mapping.source.captures.compactMap { name in
            mapping.capture(parts)?[name].map { "  {\(name)} = \(escapedForLog($0.joined(separator: separator)))" }
        }
    }
}
