extension MosquittoBroker {
    static let socketName = "mqtt.sock"
    static let logName = "log"
    static let configurationName = "mosquitto.conf"

    /// The listener of a broker.
    package struct Listener: Sendable {
        let lines: @Sendable (_ port: Int, _ directory: String) -> [String]
        let isUnixSocket: Bool

        /// Plain TCP on ``MosquittoBroker/port``.
        package static let tcp = Listener(isUnixSocket: false) { port, _ in ["listener \(port) 127.0.0.1"] }

        /// A Unix domain socket at ``MosquittoBroker/socketPath``, without a TCP port.
        package static let unixSocket = Listener(isUnixSocket: true) { _, directory in
            ["listener 0 \(directory)/\(MosquittoBroker.socketName)"]
        }

        /// TLS on ``MosquittoBroker/port``.
        ///
        /// - Parameter clientAuthority: If set, the broker requires a client certificate of this authority.
        package static func tls(certificate: String, key: String, clientAuthority: String? = nil) -> Listener {
            Listener(isUnixSocket: false) { port, _ in
                let base = ["listener \(port) 127.0.0.1", "certfile \(certificate)", "keyfile \(key)"]
                guard let clientAuthority else { return base }
                return base + ["cafile \(clientAuthority)", "require_certificate true"]
            }
        }

        /// The caller's own lines, including the `listener` line, which must use the given port.
        package static func lines(
            _ lines: @escaping @Sendable (_ port: Int, _ directory: String) -> [String]
        ) -> Listener {
            Listener(isUnixSocket: false, lines: lines)
        }

        init(isUnixSocket: Bool, lines: @escaping @Sendable (_ port: Int, _ directory: String) -> [String]) {
            self.lines = lines
            self.isUnixSocket = isUnixSocket
        }
    }

    /// Returns the whole configuration: defaults that the caller does not override, the listener, the caller's lines.
    ///
    /// The listener comes before the caller's lines, so that they may set options of the listener.
    static func configuration(_ lines: String, listener: [String], directory: String) -> String {
        let keys = Set(lines.split(separator: "\n").compactMap { $0.split(separator: " ").first.map(String.init) })
        var defaults = [
            // As root, mosquitto switches to a user that cannot enter the folder; "user root" prevents it.
            ("user", "user root"),
            ("persistence", "persistence false"),
            ("persistence_location", "persistence_location \(directory)/"),
            ("log_dest", "log_dest stderr"),
            ("log_type", "log_type all"),
        ]
        if keys.isDisjoint(with: ["password_file", "plugin", "auth_plugin"]) {
            defaults.append(("allow_anonymous", "allow_anonymous true"))
        }
        let ours = defaults.filter { !keys.contains($0.0) }.map(\.1)
        return (ours + listener + [lines, ""]).joined(separator: "\n")
    }
}
