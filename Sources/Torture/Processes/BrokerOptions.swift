/// The differences between the brokers of scenarios.
struct BrokerOptions: Sendable {
    /// The most unacknowledged messages for each client.
    var inFlight = 100
    /// Whether it saves its state when it is ended with SIGTERM; never at another time.
    var isPersistent = false
    /// The most messages that wait for each client; 0 for no limit. 2.0.11 with no limit ends the connection after
    /// each message that it denies (handle_publish.c, process_bad_message), as if a queue were full.
    var queued = 0
    /// More lines of mosquitto.conf(5).
    var lines: [String] = []

    /// All lines of mosquitto.conf(5) but those of its listener.
    var configuration: String {
        let common = [
            "allow_anonymous true", "set_tcp_nodelay true", "max_queued_messages \(queued)",
            "max_inflight_messages \(inFlight)", "persistence \(isPersistent)", "autosave_interval 0",
            "log_type error", "log_type warning", "log_type notice",
        ]
        return (common + lines).joined(separator: "\n")
    }
}
