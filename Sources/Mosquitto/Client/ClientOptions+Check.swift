extension ClientOptions {
    /// Rejects invalid options before the first attempt.
    func check(for brokers: [BrokerURL]) throws(ClientError) {
        let seconds = timeouts.keepAlive.seconds(upTo: .max)
        guard seconds == 0 || (5...65_535).contains(seconds) else {
            throw ClientError(
                .unsupported,
                operation: "connect",
                detail: "keep-alive of \(timeouts.keepAlive)",
                advice: "Give 5 s to 65,535 s, or 0 for none (libmosquitto refuses the rest)"
            )
        }
        guard !clientID.isEmpty else { throw Self.unusable("client identifier", "is empty") }
        try Self.check(clientID, "client identifier")
        for user in [username] + brokers.map(\.user) { try Self.check(user ?? "", "user name") }
        // Zero is a protocol error in CONNECT (MQTT 5, sections 3.1.2.11.3 and 3.1.2.11.4); libmosquitto would omit all
        // properties.
        guard limits.receiveMaximum > 0 else { throw Self.unusable("receive maximum", "is zero") }
        guard limits.maximumPacketSize > 0 else { throw Self.unusable("maximum packet size", "is zero") }
        guard limits.inFlightWindow > 0 else { throw Self.unusable("in-flight window", "is zero") }
        if let will {
            try TopicRules.check(topic: will.message.topic)
            if let birth = will.birth { try TopicRules.check(topic: birth.topic) }
        }
        if tls.preSharedKey != nil, Library.version < (2, 0, 12), brokers.contains(where: { $0.transport == .tls }) {
            throw ClientError(
                .unsupported,
                operation: "connect with a pre-shared key",
                detail: "libmosquitto \(Library.versionText) also connects to a broker with a certificate and then "
                    + "verifies nothing; 2.0.12 fixes that",
                advice: "Use certificates, or a newer libmosquitto"
            )
        }
    }

    /// libmosquitto takes C strings, which end at a NUL, and encodes lengths in 16 bits.
    private static func check(_ text: String, _ name: String) throws(ClientError) {
        guard text.utf8.count <= 65_535 else { throw unusable(name, "is longer than 65,535 bytes") }
        guard !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
            throw unusable(name, "holds a control character")
        }
    }

    private static func unusable(_ name: String, _ detail: String) -> ClientError {
        ClientError(.unsupported, operation: "connect", detail: "the \(name) \(detail)")
    }
}
