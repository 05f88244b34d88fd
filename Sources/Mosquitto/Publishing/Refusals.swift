extension ClientError {
    /// The error of a CONNACK that refuses the connection.
    static func refusedConnection(
        _ operation: String,
        _ connack: CallbackBuffer.Connack,
        will: Will?
    ) -> ClientError {
        var (code, advice): (Code, String) =
            switch connack.reason {
            case .badUserNameOrPassword: (.badCredentials, "Check username and password")
            case .notAuthorized: (.notAuthorized, "Check username, password and the broker's access rules")
            case .unsupportedProtocolVersion: (.rejected, "Set version: 3.1.1")
            case .clientIdentifierNotValid: (.rejected, "Choose another client_id")
            default: (.rejected, "")
            }
        if let will, connack.reason.mayBlameMessage {
            let text = "the broker may not take the will for \(will.summary)"
            advice += advice.isEmpty ? "Perhaps \(text)" : "; or \(text)"
        }
        return ClientError(
            code,
            operation: operation,
            detail: connack.reasonText.map { escapedForLog($0) } ?? "",
            advice: advice,
            reason: connack.reason
        )
    }

    /// Adds likely causes to the error of an attempt in which the broker did not answer CONNECT, or closed the
    /// connection.
    func unanswered(_ options: ClientOptions, by broker: BrokerURL) -> ClientError {
        guard [.connectionLost, .timedOut, .stalled].contains(code) else { return self }
        var causes = advice.isEmpty ? [] : [advice]
        switch options.version {
        case .v5: causes.append("A broker that does not speak MQTT 5 may do that: set version: 3.1.1")
        case .v3_1_1: causes.append("The broker may not speak MQTT 3.1.1, or refuse the client identifier or the login")
        }
        if broker.transport == .tcp { causes.append("On this port it may expect TLS: then use mqtts://") }
        if let will = options.will { causes.append("It may not take the will for \(will.summary)") }
        return ClientError(
            code,
            operation: operation,
            detail: detail,
            advice: causes.joined(separator: ". "),
            reason: reason
        )
    }

    /// The error of a retained message for a broker without support for them.
    static func retainNotSupported(_ topic: String) -> ClientError {
        ClientError(
            .unsupported,
            operation: "publish to \"\(escapedForLog(topic))\"",
            detail: "the broker keeps no messages",
            advice: "Publish without retain"
        )
    }

    /// The error of a publish that the broker refused.
    static func refusedPublish(_ topic: String, _ reason: ReasonCode) -> ClientError {
        ClientError(
            reason == .notAuthorized ? .notAuthorized : .rejected,
            operation: "publish to \"\(escapedForLog(topic))\"",
            reason: reason
        )
    }
}

extension ClientError {
    /// The error of a message at which the broker hangs up.
    static func closedByBroker(_ publication: Publication, reason: ReasonCode?) -> ClientError {
        ClientError(
            .closedByBroker,
            operation: "publish to \"\(escapedForLog(publication.message.topic))\"",
            detail: publication.message.summary,
            advice: "The broker may not take its size (max_packet_size), its QoS, retained messages or its topic, or "
                + "its access rules may forbid it",
            reason: reason
        )
    }

    /// The error of a topic filter at which the broker hangs up.
    static func closedAtSubscription(_ filter: String, reason: ReasonCode?) -> ClientError {
        ClientError(
            .closedByBroker,
            operation: "subscribe to \"\(escapedForLog(filter))\"",
            advice: "The broker's access rules may forbid it, or it may not take such a filter",
            reason: reason
        )
    }

    /// The error, with its cause as the detail.
    func because(_ cause: ClientError) -> ClientError {
        ClientError(code, operation: operation, detail: "\(cause)", advice: advice, reason: reason)
    }

    /// The error of repeated short connections without a reason.
    func repeated(_ count: Int, within life: Duration) -> ClientError {
        ClientError(
            code,
            operation: operation,
            detail: "\(count) connections in a row ended within \(life): \(detail)",
            advice:
                "Either another client uses our identifier: give each a client_id of its own; or the broker closes the "
                + "connection at the packet that was sent last",
            reason: reason
        )
    }
}

extension ReasonCode {
    /// Whether a message or a subscription may be the cause if a broker ends a connection with this reason.
    var mayBlameMessage: Bool {
        switch self {
        case .unspecifiedError, .malformedPacket, .protocolError, .implementationSpecificError, .notAuthorized,
            .topicFilterInvalid, .topicNameInvalid, .packetTooLarge, .payloadFormatInvalid, .retainNotSupported,
            .qosNotSupported:
            true
        default: false
        }
    }
}

extension Will {
    fileprivate var summary: String { message.summary }
}

extension ConnectionInfo {
    init(_ connack: CallbackBuffer.Connack, _ url: BrokerURL, _ version: ProtocolVersion, window: Int) {
        self.init(
            url: url,
            version: version,
            sessionPresent: connack.sessionPresent,
            inFlightWindow: window,
            maximumPacketSize: connack.maximumPacketSize.map(Int.init),
            maximumQoS: connack.maximumQoS.flatMap(QoS.init) ?? .exactlyOnce,
            retainAvailable: connack.retainAvailable,
            wildcardsAvailable: connack.wildcardsAvailable,
            subscriptionIdentifiersAvailable: connack.subscriptionIdentifiersAvailable
        )
    }
}
