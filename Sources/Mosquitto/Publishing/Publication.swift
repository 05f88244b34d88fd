/// An outbound message and its completion. A class: it passes through several queues without a copy.
final class Publication: Sendable {
    let message: Message
    let completion: (@Sendable (Result<ReasonCode, ClientError>) -> Void)?
    /// The size that counts towards ``PublishQueue/maximumBytes``.
    let size: Int

    /// The topic must be valid.
    ///
    /// - Throws: ``ClientError`` with code ``ClientError/Code/tooLarge`` for a payload that no PUBLISH packet can hold beside
    ///   the longest topic (MQTT 5, section 1.5.5).
    init(
        checked message: consuming Message,
        completion: (@Sendable (Result<ReasonCode, ClientError>) -> Void)?
    ) throws(ClientError) {
        guard message.payload.count <= 268_435_455 - 65_535 else {
            throw ClientError(.tooLarge, operation: "publish to \"\(escapedForLog(message.topic))\"")
        }
        size = message.size
        self.message = message
        self.completion = completion
    }
}
