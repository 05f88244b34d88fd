public import AsyncEventBus
import Mosquitto

/// Says in words what routes make of a topic or an event, without connecting.
public struct Explanation: Sendable {
    private let brokers: [Broker]
    private let routes: [Route]
    private let options: BridgeOptions
    private let table: RouteTable

    /// - Parameter hasStore: Whether there is something to keep messages in.
    /// - Throws: ``RouteProblems`` with everything that is wrong with the routes.
    public init(
        brokers: [Broker],
        routes: [Route],
        options: BridgeOptions = BridgeOptions(),
        hasStore: Bool = false
    ) throws(RouteProblems) {
        self.brokers = brokers
        self.routes = routes.isEmpty ? brokers.prefix(1).map { .everything(broker: $0.name) } : routes
        self.options = options
        table = try RouteTable(self.routes, brokers: Set(brokers.map(\.name)), hasStore: hasStore)
    }

    /// What becomes of a message on a topic, broker by broker: one line a step. Empty if no route wants it.
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
            lines.append("  durable: acknowledged when it is stored, kept until every named listener has finished")
        }
        lines.append("  loop guard: \(guardText(broker))")
        for target in table.outbound(match.event) {
            if target.route.broker == broker.name {
                lines.append(
                    "  not back to broker \(broker.name) by route \"\(target.route.name)\": it came from there"
                )
            } else {
                lines += outbound(target, "  then out", passedOn: true)
            }
        }
        return lines
    }

    /// What becomes of an event that is emitted here: one line a step. Empty if no route wants it.
    public func lines(forEvent name: EventName) -> [String] {
        table.outbound(name).flatMap { target in
            ["event \(escapedForLog(name.text)) matches \(target.route.event)"]
                + captures(target.route.toTopic, name.segments, ".") + outbound(target, "  out", passedOn: false)
        }
    }

    private func outbound(_ target: RouteTable.Outbound, _ prefix: String, passedOn: Bool) -> [String] {
        let route = target.route
        if let problem = target.problem { return ["\(prefix) by route \"\(route.name)\": refused: \(problem)"] }
        let retain = route.retain ? "retained" : "not retained"
        var line = "\(prefix) by route \"\(route.name)\": broker \(route.broker), topic \(escapedForLog(target.topic))"
        line += ", QoS \(route.qos.rawValue), \(retain)"
        if passedOn { line += ", unless it passed \(options.maximumHops) bridges" }
        let durable = route.isDurable ? ["  durable: stored until the broker has taken it"] : []
        guard !passedOn, let broker = brokers.first(where: { $0.name == route.broker }) else { return [line] + durable }
        return [line] + durable + ["  loop guard: listeners here hear it directly; \(guardText(broker))"]
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
