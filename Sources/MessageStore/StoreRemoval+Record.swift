extension StoreRemoval {
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
