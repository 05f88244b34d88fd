import AsyncEventBus
import Locking
import Mosquitto

/// Makes and caches the plans of topics.
extension MessageReceiver {
    /// Whether some route publishes retained messages of an event to this broker.
    private func isMirrored(_ event: EventName, _ table: RouteTable) -> Bool {
        guard table.brokersWithStates.contains(broker.name) else { return false }
        return table.outbound(event).contains { [broker] target in
            target.retention.mayKeep && target.route.broker == broker.name
        }
    }

    /// The cached plan for the topic of a message; nil if there is none of this router's generation.
    func knownPlan(for message: borrowing Message, _ router: borrowing OutboundRouter) -> TopicPlan? {
        guard let plan = message.knownTopic?.note as? TopicPlan, plan.generation == router.generation else {
            return nil
        }
        return plan
    }

    /// Makes the plan for the topic of a message, and caches it with the topic.
    func makePlan(for message: Message, _ router: OutboundRouter) -> TopicPlan {
        var unnamed: [Route] = []
        let matches = router.table.lookUpInbound(message.topic, broker: broker.name, unnamed: &unnamed)
        let mirrored = matches.map(\.event).filter { isMirrored($0, router.table) }
        let plan = TopicPlan(
            generation: router.generation,
            places: matches.map { match in
                EventPlace(
                    match,
                    destination: context.bus.destination(for: match.event),
                    isMirrored: mirrored.contains(match.event)
                )
            },
            unnamed: unnamed,
            mirrored: mirrored.map { RetainedStates.Place(name: $0, link: link) },
            mirrors: mirrored.flatMap { router.placesOfStates(of: $0) }.filter { [link] in $0.link != link },
            fixedMirrors: mirrored.flatMap { router.placesOfStates(of: $0, isFixed: true) }
                .filter { [link] in $0.link != link },
            marksKept: subscriptions.marksKept(on: message.topic),
            // A merged filter may match topics of no route: these are not stray.
            isStray: matches.isEmpty && unnamed.isEmpty && !subscriptions.covers(message.topic)
        )
        let isKnown = context.states.withLock { [link] states in
            states.isAnyKnown && matches.contains { states.isKnown($0.event, link: link) }
        }
        if isKnown { plan.trackState() }
        message.knownTopic?.note = plan
        return plan
    }
}
