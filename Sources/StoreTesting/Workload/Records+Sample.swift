package import MessageStore

extension InboundRecord {
    /// Returns a message whose sequence determines its values, so that messages differ.
    package static func sample(
        _ sequence: Int64,
        route: String = "climate",
        payload: [UInt8]? = nil,
        expires: Int64? = nil,
        listeners: [String] = ["log", "alarm"]
    ) -> InboundRecord {
        InboundRecord(
            sequence: sequence,
            route: route,
            broker: "main",
            topic: "home/\(sequence)/temperature",
            event: "climate.\(sequence)",
            source: "sensor-\(sequence % 3)",
            tag: "tag-\(sequence)",
            payload: payload ?? Array("value \(sequence)".utf8),
            details: sequence % 2 == 0 ? "" : "{\"n\":\(sequence)}",
            time: sequence * 1000,
            expires: expires,
            listeners: listeners
        )
    }
}

extension OutboundRecord {
    /// Returns a message whose sequence determines its values.
    package static func sample(
        _ sequence: Int64,
        route: String = "lamps",
        broker: String = "main",
        topic: String? = nil,
        payload: [UInt8]? = nil,
        expires: Int64? = nil
    ) -> OutboundRecord {
        OutboundRecord(
            sequence: sequence,
            route: route,
            broker: broker,
            topic: topic ?? "lamp/\(sequence)",
            event: "lamp.\(sequence)",
            source: "bridge",
            tag: "tag-\(sequence)",
            payload: payload ?? Array("on \(sequence)".utf8),
            details: sequence % 2 == 0 ? "" : "{\"n\":\(sequence)}",
            qos: UInt8(sequence % 3),
            isRetained: sequence % 2 == 0,
            time: sequence * 1000,
            expires: expires
        )
    }
}

extension DeadLetter {
    /// Returns a dead letter whose number determines its values.
    package static func sample(_ number: Int64, route: String = "climate", payload: [UInt8]? = [1, 2, 3]) -> DeadLetter
    {
        DeadLetter(
            direction: number % 2 == 0 ? .inbound : .outbound,
            route: route,
            broker: "main",
            topic: "home/\(number)",
            event: "home.\(number)",
            source: "sensor",
            tag: "tag-\(number)",
            payload: payload,
            payloadSize: payload?.count ?? 5_000_000,
            details: "details \(number)",
            qos: UInt8(number % 3),
            isRetained: number % 3 == 0,
            listener: number % 2 == 0 ? "alarm" : "",
            error: "refused \(number)",
            attempts: Int(number),
            time: number * 10,
            died: number * 100
        )
    }
}

extension SeenIdentity {
    /// Returns an identity whose number determines its values.
    package static func sample(_ number: Int64) -> SeenIdentity {
        SeenIdentity(
            source: "sensor",
            tag: "tag-\(number)",
            event: "climate.\(number)",
            digest: .max - UInt64(bitPattern: number),
            time: number
        )
    }
}

extension StoreBatch {
    /// Returns a batch that `body` fills.
    package static func with(_ body: (inout StoreBatch) -> Void) -> StoreBatch {
        var batch = StoreBatch()
        body(&batch)
        return batch
    }
}
