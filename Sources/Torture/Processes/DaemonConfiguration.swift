/// What a daemon of the test is told, as the text of its configuration file.
struct DaemonConfiguration: Sendable {
    /// The port of its broker, or of a proxy before it.
    var port: Int
    /// `synchronous:` of the store.
    var synchronous = "full"
    /// `on_corrupt:` of the store.
    var onCorrupt = "refuse"
    /// `check_at_start:` of the store.
    var checkAtStart = "quick"
    /// How many stored messages a second go to a broker that was away.
    var drainRate = 5_000
    /// The largest payload that is let in.
    var payloadLimit = "1MiB"
    /// The port of a second broker, which only routes of a scenario use; nil for none.
    var otherPort: Int?
    /// More settings of the broker, each as `name: value`.
    var brokerSettings: [String] = []
    /// More settings of the second broker.
    var otherSettings: [String] = []
    /// What stands for each route between braces.
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
