import Mosquitto

/// Reads `will:`.
struct WillReader {
    private static let keys = ["topic", "payload", "qos", "retain", "delay", "content_type", "birth"]
    private static let example = "will: {topic: bridge/status, payload: offline}"

    /// Reads a will; nil, with a complaint, if the topic is missing or invalid.
    static func read(_ element: Element, version: ProtocolVersion) -> Will? {
        guard let fields = Fields(element, keys: keys, example: example) else { return nil }
        if version == .v3_1_1 {
            for key in ["delay", "content_type"] {
                guard let extra = fields[key] else { continue }
                extra.complain("\"\(key)\" needs MQTT 5", "Remove it, or write version: 5", at: extra.keyPosition)
            }
        }
        var message = Message(topic: "")
        if let payload = fields["payload"], let text = payload.text("a text", example: "payload: offline") {
            message.payload = Array(text.content.utf8)
            if message.payload.count > 65_535 {
                payload.complain("the payload of a will has at most 65,535 bytes", "Shorten it")
            }
        }
        if let qos = fields["qos"]?.qos() { message.qos = qos }
        if let retain = fields["retain"]?.bool() { message.isRetained = retain }
        message.properties.contentType = fields["content_type"]?.line(example: "content_type: text/plain")?.content
        let delay = fields["delay"]?.duration(.seconds(1) ... .seconds(4_294_967_295), orZero: true, example: "30s")
        guard let topic = fields.required("topic", example: example), let text = topic.line(example: "topic: a/b")
        else {
            return nil
        }
        do throws(ClientError) {
            try TopicRules.check(topic: text.content)
        } catch {
            topic.complain(
                "\"topic\" cannot be published to: \(error.detail)",
                "Write a topic, as in topic: bridge/status"
            )
            return nil
        }
        message.topic = text.content
        var will = Will(message, delay: delay ?? .zero)
        if let birth = fields["birth"]?.text("a text", example: "birth: online") {
            var opposite = message
            opposite.payload = Array(birth.content.utf8)
            will.birth = opposite
        }
        return will
    }
}

extension Element {
    /// Reads 0, 1 or 2.
    func qos() -> QoS? {
        convert("0, 1 or 2", example: "\(name): 1") { UInt8($0).flatMap(QoS.init(rawValue:)) }
    }
}
