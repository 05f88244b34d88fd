extension StoreRemoval {
    init(_ letter: DeadLetter) {
        self.init(
            direction: letter.direction,
            sequence: letter.number,
            route: letter.route,
            broker: letter.broker,
            topic: letter.topic,
            size: letter.size,
            reason: .letter
        )
    }

    init(_ record: InboundRecord, _ reason: Reason) {
        self.init(
            direction: .inbound,
            sequence: record.sequence,
            route: record.route,
            broker: record.broker,
            topic: record.topic,
            size: record.size,
            reason: reason
        )
    }

    init(_ record: OutboundRecord, _ reason: Reason) {
        self.init(
            direction: .outbound,
            sequence: record.sequence,
            route: record.route,
            broker: record.broker,
            topic: record.topic,
            size: record.size,
            reason: reason
        )
    }
}
