extension MosquittoBroker {
    static let socketName = "mqtt.sock"
    static let logName = "log"
    static let configurationName = "mosquitto.conf"

    /// What the broker listens on.
    package struct Listener: Sendable {
        let lines: @Sendable (_ port: Int, _ directory: String) -> [String]
        let isUnixSocket: Bool

        /// Plain TCP on ``MosquittoBroker/port``.
        package static let tcp = Listener(isUnixSocket: false) { port, _ in ["listener \(port) 127.0.0.1"] }

        /// A unix socket at ``MosquittoBroker/socketPath`` and no TCP port.
        package static let unixSocket = Listener(isUnixSocket: true) { _, directory in
            ["listener 0 \(directory)/\(MosquittoBroker.socketName)"]
        }

        /// TLS on ``MosquittoBroker/port``.
        ///
        /// - Parameter clientAuthority: With it the broker wants a client certificate of that authority.
        package static func tls(certificate: String, key: String, clientAuthority: String? = nil) -> Listener {
            Listener(isUnixSocket: false) { port, _ in
                let base = ["listener \(port) 127.0.0.1", "certfile \(certificate)", "keyfile \(key)"]
                guard let clientAuthority else { return base }
                return base + ["cafile \(clientAuthority)", "require_certificate true"]
            }
        }

        /// The caller's own lines, the `listener` line among them; the given port must be listened on.
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

    /// Returns the whole configuration: ours where the caller says nothing else, the listener, the caller's lines.
    ///
    /// The listener comes before the caller's lines so that these may hold options of the listener.
    static func configuration(_ lines: String, listener: [String], directory: String) -> String {
        let keys = Set(lines.split(separator: "\n").compactMap { $0.split(separator: " ").first.map(String.init) })
        var defaults = [
            // As root, mosquitto changes to a user that cannot enter the folder; "root" says no.
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
