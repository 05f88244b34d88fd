import AsyncEventBus

/// Maps names for responses to response topics, and back. Not cached, since few messages have one.
extension RouteTable {
    /// The name to which a response must be emitted, so that an outbound route publishes it to a topic of a broker; nil if no
    /// route does.
    func replyName(ofTopic topic: String, broker: String) -> EventName? {
        let levels = TopicTemplate.levels(of: topic)
        for route in routes where route.broker == broker && route.direction.includesOut {
            guard let name = route.toEvent(levels).flatMap({ EventName(segments: $0) }), !name.isReserved else {
                continue
            }
            let isPublished = outbound(name).contains { target in
                target.route.broker == broker && ExactText(target.topic) == ExactText(topic) && target.problem == nil
            }
            if isPublished { return name }
        }
        return nil
    }

    /// The topic of a broker to which a response must be published, so that an inbound route makes it an event of a name; nil
    /// if no route does.
    func replyTopic(ofName name: EventName, broker: String) -> String? {
        let segments = name.segments
        for route in routes where route.broker == broker && route.direction.includesIn {
            guard let topic = route.toTopic(segments)?.joined(separator: "/") else { continue }
            if lookUpInbound(topic, broker: broker).contains(where: { $0.event == name }) { return topic }
        }
        return nil
    }
}
