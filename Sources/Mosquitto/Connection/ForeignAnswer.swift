/// Recognises servers other than MQTT brokers by their first bytes. Pure.
enum ForeignAnswer {
    /// CONNACK, DISCONNECT and AUTH: no other packet may come first (MQTT 5, section 4.12; section 3.2).
    private static let first: Set<UInt8> = [0x20, 0xE0, 0xF0]

    /// The error for an attempt that received these bytes; nil if they may come from a broker.
    static func error(_ bytes: [UInt8], operation: String) -> ClientError? {
        guard let byte = bytes.first, !first.contains(byte) else { return nil }
        let line = bytes.prefix { $0 != 0x0D && $0 != 0x0A }
        let text = "\"\(escapedForLog(String(decoding: line, as: UTF8.self), limit: 40))\""
        let (who, advice) =
            switch bytes {
            case _ where bytes.starts(with: "HTTP/".utf8): ("an HTTP server answers: \(text)", "Is the port right?")
            case _ where bytes.starts(with: "SSH-".utf8): ("an SSH server answers: \(text)", "Is the port right?")
            case _ where (byte == 0x15 || byte == 0x16) && bytes.dropFirst().first == 0x03:
                ("a server that speaks TLS answers", "Use mqtts://")
            default: ("the server does not speak MQTT: \(text)", "Is the port right?")
            }
        return ClientError(.protocolError, operation: operation, detail: who, advice: advice)
    }
}
