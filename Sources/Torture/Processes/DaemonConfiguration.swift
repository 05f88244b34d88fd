/// The configuration file of a daemon under test.
struct DaemonConfiguration: Sendable {
    /// The port of its broker, or of a proxy in front of it.
    var port: Int
    /// `synchronous:` of the store.
    var synchronous = "full"
    /// `on_corrupt:` of the store.
    var onCorrupt = "refuse"
    /// `check_at_start:` of the store.
    var checkAtStart = "quick"
    /// The rate at which stored messages go to a broker that was away, in messages per second.
    var drainRate = 5_000
    /// The largest accepted payload.
    var payloadLimit = "1MiB"
    /// The port of a second broker, which only a scenario's own routes use; nil for none.
    var otherPort: Int?
    /// Further settings of the broker, each as `name: value`.
    var brokerSettings: [String] = []
    /// Further settings of the second broker.
    var otherSettings: [String] = []
    /// The text between the braces of each route.
    var routes = [
        "name: in, topic: \"in/{rest...}\", event: \"in.{rest...}\", direction: in, broker: b",
        "name: out, topic: \"out/{rest...}\", event: \"out.{rest...}\", direction: out, broker: b",
    ]

    func text(store: String) -> String {
        let settings =
            [
                "url: \"mqtt://127.0.0.1:\(port)\"", "client_id: torture", "session_expiry: 1h",
                "drain_rate: \(drainRate)",
            ] + brokerSettings
        let other = otherPort.map { port in
            let settings = ["url: \"mqtt://127.0.0.1:\(port)\"", "client_id: torture"] + otherSettings
            return "\n  other: {\(settings.joined(separator: ", "))}"
        }
        return """
            brokers:
              b: {\(settings.joined(separator: ", "))}\(other ?? "")
            store:
              path: "\(store)"
              synchronous: \(synchronous)
              policy: block
              on_corrupt: \(onCorrupt)
              check_at_start: \(checkAtStart)
              limits: {messages: 1000000, bytes: 1GiB}
            routes:
            \(routes.map { "  - {\($0)}" }.joined(separator: "\n"))
            limits: {payload: \(payloadLimit)}

            """
    }
}
