import AsyncEventBus

/// The decoded parts of a message.
struct DecodedMessage {
    var payload: [UInt8]
    var attributes = EventAttributes()
    /// Nil if the message has no identity, as one from a plain client.
    var id: EventID?
    /// The bus that the event first entered, if the message names it.
    var origin: String?
    var hops = 0
    var time: Timestamp?
    /// The digest of the payload; 0 unless ``MessageReceiver`` has computed it.
    var digest: UInt64 = 0

    /// Parses a hop count from outside and clamps it to 0…1,000.
    static func hops(_ text: String) -> Int? {
        Int(text).map { min(max($0, 0), 1_000) }
    }
}
