import MQTTBridge
import Mosquitto

extension BrokerReader {
    /// Reads limits, time limits and rates.
    mutating func readLimits() {
        let range = Duration.milliseconds(1) ... .seconds(86_400)
        set(\.limits.inFlightWindow, fields["in_flight"]?.number(1...65_535, example: 100))
        set(\.timeouts.connect, fields["connect_timeout"]?.duration(range, example: "10s"))
        set(\.timeouts.drain, fields["drain_limit"]?.duration(range, orZero: true, example: "2s"))
        set(\.limits.receiveMaximum, onlyMQTT5("receive_maximum")?.number(1...65_535, example: 1_000))
        set(
            \.limits.maximumPacketSize,
            onlyMQTT5("maximum_packet_size")?.size(128...(1 << 28), example: "16MiB").map { UInt32(clamping: $0) }
        )
        if let queue = fields["queue"],
            let queueFields = Fields(
                queue,
                keys: ["messages", "bytes"],
                example: "queue: {messages: 10000, bytes: 64MiB}"
            )
        {
            set(\.limits.queueCapacity, queueFields["messages"]?.number(1...100_000_000, example: 10_000))
            set(\.limits.queueBytes, queueFields["bytes"]?.size(1...(1 << 40), example: "64MiB").map(Int.init))
        }
        if let rate = fields["drain_rate"]?.number(0...1_000_000, example: 1_000) {
            broker.drainRate = rate == 0 ? nil : rate
        }
        if let reconnect = fields["reconnect"] { readReconnect(reconnect, range) }
    }

    private mutating func readReconnect(_ element: Element, _ range: ClosedRange<Duration>) {
        let keys = ["shortest", "longest", "after_refused_login"]
        guard let pauses = Fields(element, keys: keys, example: "reconnect: {shortest: 100ms, longest: 30s}") else {
            return
        }
        set(\.reconnect.backoff.shortest, pauses["shortest"]?.duration(range, example: "100ms"))
        set(\.reconnect.backoff.longest, pauses["longest"]?.duration(range, example: "30s"))
        set(\.reconnect.backoff.afterRefusedLogin, pauses["after_refused_login"]?.duration(range, example: "15s"))
        let backoff = broker.options.reconnect.backoff
        if backoff.shortest > backoff.longest, let culprit = pauses["shortest"] ?? pauses["longest"] {
            culprit.complain(
                "\"shortest\" is longer than \"longest\", which is 30s if not written",
                "Write reconnect: {shortest: 100ms, longest: 30s}"
            )
        }
    }

    private mutating func set<Value>(_ path: WritableKeyPath<ClientOptions, Value>, _ value: Value?) {
        if let value { broker.options[keyPath: path] = value }
    }

    /// Returns the value of a key that needs MQTT 5; complains if the version is 3.1.1.
    private func onlyMQTT5(_ key: String) -> Element? {
        guard let element = fields[key] else { return nil }
        if broker.options.version == .v3_1_1 {
            element.complain("\"\(key)\" needs MQTT 5", "Remove it, or write version: 5", at: element.keyPosition)
        }
        return element
    }
}
