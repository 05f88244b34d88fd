import AsyncEventBus
import MessageStore
import Mosquitto

@testable import MQTTBridge

extension OutboundRecord {
    /// A record of which a test says only what it is about.
    static func sample(_ sequence: Int64 = 0, topic: String = "t", route: String = "r", payload: Int = 0) -> Self {
        OutboundRecord(
            sequence: sequence,
            route: route,
            broker: "default",
            topic: topic,
            event: "e",
            source: "s",
            tag: "\(sequence)",
            payload: [UInt8](repeating: 0, count: payload),
            qos: 1,
            time: 0
        )
    }
}

extension OutboundQueue.Item {
    /// What a record becomes on its way out.
    static func sample(_ sequence: Int64, topic: String = "t", payload: Int = 0) -> Self {
        let record = OutboundRecord.sample(sequence, topic: topic, payload: payload)
        return Self(record: record, message: RecordCodec.message(record), receipt: nil)
    }
}

extension PendingPublish {
    /// An emit on its way into the store.
    static func sample(topic: String = "t", route: String = "r", payload: Int = 0, receipt: TransportReceipt? = nil)
        -> Self
    {
        let record = OutboundRecord.sample(topic: topic, route: route, payload: payload)
        return PendingPublish(record: record, message: RecordCodec.message(record), receipt: receipt)
    }
}

extension Route {
    /// A route that says only what a test is about.
    static func limited(_ name: String, _ policy: StorePolicy?, _ limits: StoreLimits? = nil) -> Route {
        var route = Route("t", "e", direction: .both, name: name, durability: .disk)
        route.policy = policy
        route.limits = limits
        return route
    }
}
