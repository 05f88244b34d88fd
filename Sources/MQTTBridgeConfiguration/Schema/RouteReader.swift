import MQTTBridge
import Mosquitto

/// Reads one entry of `routes:`.
struct RouteReader {
    private static let keys = [
        "name", "broker", "topic", "event", "direction", "qos", "retain", "durability", "ttl", "limits", "policy",
    ]
    private static let example = #"- {topic: "home/{room}/temperature", event: "climate.{room}.temperature"}"#

    /// Nil after a mistake that prevents checks against other routes.
    let route: Route?
    private let element: Element
    private let fields: Fields?

    init(_ element: Element, brokers: [String], hasStore: Bool) {
        self.element = element
        fields = Fields(element, keys: Self.keys, example: Self.example)
        route = fields.flatMap { Self.read($0, brokers: brokers, hasStore: hasStore) }
    }

    private static func read(_ fields: Fields, brokers: [String], hasStore: Bool) -> Route? {
        let topic = fields.required("topic", example: #"topic: "home/{room}/temperature""#)?
            .template(example: #"topic: "home/{room}/temperature""#) { text throws(TemplateError) in
                try TopicTemplate(text)
            }
        let event = fields.required("event", example: #"event: "climate.{room}.temperature""#)?
            .template(example: #"event: "climate.{room}.temperature""#) { text throws(TemplateError) in
                try EventTemplate(text)
            }
        let direction = fields["direction"]?.choice(Route.Direction.self)
        let qos = fields["qos"]?.qos()
        let retain = fields["retain"]?.retention()
        let name = fields["name"]?.line(example: "name: climate")?.content
        let broker = broker(fields, brokers)
        let durability = RouteDurabilityReader(fields, qos: qos, hasStore: hasStore)
        let isWhole = (fields["direction"] == nil) == (direction == nil) && (fields["name"] == nil) == (name == nil)
        guard let topic, let event, let broker, isWhole else { return nil }
        var route = Route(
            topic,
            event,
            direction: direction ?? .both,
            name: name,
            broker: broker,
            qos: qos ?? .atLeastOnce,
            retain: retain ?? .never
        )
        durability.apply(to: &route)
        return route
    }

    /// Returns the named broker, or the only broker.
    private static func broker(_ fields: Fields, _ brokers: [String]) -> String? {
        if let element = fields["broker"] { return element.line(example: "broker: NAME")?.content }
        if brokers.count > 1 {
            // A long list for each of many routes would be slow and useless.
            let names = brokers.prefix(10).map { escapedForLog($0, limit: 40) }.joined(separator: " or ")
            let more = brokers.count > 10 ? " or another" : ""
            fields.complain("\"broker\" is missing, and there are several", "Write broker: \(names)\(more)")
        }
        return brokers.count > 1 ? nil : brokers.first ?? "default"
    }

    /// Complains at the field with the problem, or at the route if the file does not contain that field.
    func complain(_ problem: RouteProblem) {
        guard !element.collector.isFull else { return element.complain("", "", at: .file) }
        let (message, advice) = (
            element.collector.redacted(problem.message), element.collector.redacted(problem.advice)
        )
        if let field = fields?[problem.field.rawValue] {
            // For durability the value itself is valid: the store is missing elsewhere.
            field.complain(message, advice, at: problem.field == .durability ? field.keyPosition : nil)
        } else {
            element.complain(message, advice, at: element.keyPosition)
        }
    }
}
