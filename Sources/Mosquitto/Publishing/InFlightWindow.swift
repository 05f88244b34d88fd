/// The messages that libmosquitto has and the broker has not acknowledged, by packet identifier. Pure.
///
/// libmosquitto searches a list from the front for each acknowledgement, so it never gets more messages than this
/// window.
struct InFlightWindow: Sendable {
    /// The most messages at QoS 0 that wait to be written, which completes them.
    static let unacknowledgedLimit = 256
    /// The most messages at QoS 2 on a connection of MQTT 3.1.1, where a broker cannot announce its limit. mosquitto
    /// acknowledges messages beyond its own limit, 20 unless configured, and loses them (2.0.11, measured: 800 of 1,000
    /// with 100 in flight).
    static let exactlyOnceLimitBefore5 = 20

    private struct Entry: Sendable {
        let order: UInt64
        let publication: Publication
    }

    private let limit: Int
    private let exactlyOnceLimit: Int
    private var entries: [Int32: Entry] = [:]
    private var order: UInt64 = 0
    private var acknowledged = 0
    private var exactlyOnce = 0
    private var retained = 0

    init(limit: Int, version: ProtocolVersion = .v5) {
        self.limit = limit
        exactlyOnceLimit = version == .v5 ? limit : min(limit, Self.exactlyOnceLimitBefore5)
    }

    var isEmpty: Bool { entries.isEmpty }

    var awaitsAcknowledgements: Bool { acknowledged > 0 }

    /// The total size of the messages in flight, in bytes.
    var bytes: Int { entries.values.reduce(0) { $0 + $1.publication.size } }

    /// The indices of acknowledgements of retained messages after which a message on the same topic arrived.
    func answersToStates(_ completed: [CallbackBuffer.Completed], before messages: [Message]) -> [Int] {
        guard retained > 0, !completed.isEmpty else { return [] }
        var last: [String: Int] = [:]
        for (position, message) in messages.enumerated() { last[message.topic] = position }
        return completed.indices.filter { index in
            let answer = completed[index]
            guard let message = entries[answer.packetID]?.publication.message, message.isRetained else { return false }
            return last[message.topic].map { $0 >= answer.position } ?? false
        }
    }

    /// How many more messages the library may get, of any QoS.
    var room: Int { max(0, min(limit - acknowledged, Self.unacknowledgedLimit - (entries.count - acknowledged))) }

    /// How many of them may be at QoS 2.
    var exactlyOnceRoom: Int { max(0, exactlyOnceLimit - exactlyOnce) }

    /// Whether the library may get one more message of that QoS.
    func hasRoom(for qos: QoS) -> Bool { room > 0 && (qos < .exactlyOnce || exactlyOnceRoom > 0) }

    /// The library has accepted a message.
    mutating func sent(_ publication: Publication, packetID: Int32) {
        order += 1
        if publication.message.qos > .atMostOnce { acknowledged += 1 }
        if publication.message.qos == .exactlyOnce { exactlyOnce += 1 }
        if publication.message.isRetained { retained += 1 }
        entries[packetID] = Entry(order: order, publication: publication)
    }

    /// The library reports a message as complete. Returns nil for an unknown packet identifier.
    mutating func completed(packetID: Int32) -> Publication? {
        guard let entry = entries.removeValue(forKey: packetID) else { return nil }
        if entry.publication.message.qos > .atMostOnce { acknowledged -= 1 }
        if entry.publication.message.qos == .exactlyOnce { exactlyOnce -= 1 }
        if entry.publication.message.isRetained { retained -= 1 }
        return entry.publication
    }

    /// The connection is lost. Returns the messages in flight, in the order of sending.
    mutating func lost() -> [Publication] {
        defer {
            entries.removeAll()
            acknowledged = 0
            exactlyOnce = 0
            retained = 0
        }
        return entries.values.sorted { $0.order < $1.order }.map(\.publication)
    }
}
