/// What a daemon of the test is told, as the text of its configuration file.
struct DaemonConfiguration: Sendable {
    /// The port of its broker, or of a proxy before it.
    var port: Int
    /// `synchronous:` of the store.
    var synchronous = "full"
    /// `on_corrupt:` of the store.
    var onCorrupt = "refuse"
    /// How many stored messages a second go to a broker that was away.
    var drainRate = 5_000
    /// The largest payload that is let in.
    var payloadLimit = "1MiB"
    /// More settings of the broker, each as `name: value`.
    var brokerSettings: [String] = []

    func text(store: String) -> String {
        let settings =
            [
                "url: \"mqtt://127.0.0.1:\(port)\"", "client_id: torture", "session_expiry: 1h",
                "drain_rate: \(drainRate)",
            ] + brokerSettings
        return """
            brokers:
              b: {\(settings.joined(separator: ", "))}
            store:
              path: "\(store)"
              synchronous: \(synchronous)
              policy: block
              on_corrupt: \(onCorrupt)
              limits: {messages: 1000000, bytes: 1GiB}
            routes:
              - {name: in, topic: "in/{rest...}", event: "in.{rest...}", direction: in}
              - {name: out, topic: "out/{rest...}", event: "out.{rest...}", direction: out}
            limits: {payload: \(payloadLimit)}

            """
    }
}
