/// The configuration of a scenario's broker.
struct BrokerOptions: Sendable {
    /// The in-flight window of each client, in messages.
    var inFlight = 100
    /// Whether the broker saves its state on SIGTERM; it saves at no other time.
    var isPersistent = false
    /// The queue limit of each client, in messages; 0 for none. Without a limit, mosquitto 2.0.11 ends the connection after
    /// each message that it denies (handle_publish.c, process_bad_message), as if a queue were full.
    var queued = 0
    /// More lines of mosquitto.conf(5).
    var lines: [String] = []

    /// All lines of mosquitto.conf(5) except those of the listener.
    var configuration: String {
        let common = [
            "allow_anonymous true", "set_tcp_nodelay true", "max_queued_messages \(queued)",
            "max_inflight_messages \(inFlight)", "persistence \(isPersistent)", "autosave_interval 0",
            "log_type error", "log_type warning", "log_type notice",
        ]
        return (common + lines).joined(separator: "\n")
    }
}
