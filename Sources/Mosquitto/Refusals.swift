extension ClientError {
    /// The error of a CONNACK that is a refusal.
    static func refusedConnection(
        _ operation: String,
        _ connack: HandleInbox.Connack,
        _ broker: BrokerURL
    ) -> ClientError {
        let (code, advice): (Code, String) =
            switch connack.reason {
            case .badUserNameOrPassword: (.badCredentials, "Check username and password")
            case .notAuthorized: (.notAuthorized, "Check username, password and the broker's access rules")
            case .unsupportedProtocolVersion: (.rejected, "Set version: 3.1.1")
            case .clientIdentifierNotValid: (.rejected, "Choose another client_id")
            default: (.rejected, "")
            }
        return ClientError(
            code,
            operation: operation,
            detail: connack.reasonText.map { escapedForLog($0) } ?? "",
            advice: advice,
            reason: connack.reason
        )
    }

    /// The error of a message that the broker refused.
    static func refusedPublish(_ topic: String, _ reason: ReasonCode) -> ClientError {
        ClientError(
            reason == .notAuthorized ? .notAuthorized : .rejected,
            operation: "publish to \"\(escapedForLog(topic))\"",
            reason: reason
        )
    }
}

extension ConnectionInfo {
    init(_ connack: HandleInbox.Connack, _ url: BrokerURL, _ version: ProtocolVersion, window: Int) {
        self.init(
            url: url,
            version: version,
            sessionPresent: connack.sessionPresent,
            inFlightWindow: window,
            maximumPacketSize: connack.maximumPacketSize.map(Int.init),
            maximumQoS: connack.maximumQoS.flatMap(QoS.init) ?? .exactlyOnce,
            retainAvailable: connack.retainAvailable,
            wildcardsAvailable: connack.wildcardsAvailable
        )
    }
}
