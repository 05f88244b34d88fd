@testable import Mosquitto

extension Publication {
    /// A publication that its payload tells apart.
    static func numbered(_ number: Int, qos: QoS = .atLeastOnce, topic: String = "t", padding: Int = 0) -> Publication {
        let payload = Array(String(number).utf8) + [UInt8](repeating: UInt8(ascii: " "), count: padding)
        return try! Publication(checked: Message(topic: topic, payload: payload, qos: qos), completion: nil)
    }

    var number: Int { message.number }
}

extension Message {
    /// The payload as text.
    var text: String { String(decoding: payload, as: UTF8.self) }

    /// The number that the payload spells; -1 if it spells none.
    var number: Int { Int(text.prefix { $0 != " " }) ?? -1 }
}
