/// The messages that were given to the library and not yet acknowledged, by packet identifier. Pure.
///
/// libmosquitto keeps a list that it searches from the front for each acknowledgement, so it is never given more than
/// this window.
struct InFlightWindow: Sendable {
    /// QoS 0 messages are confirmed as soon as they are written: this many may wait for that.
    static let unacknowledgedLimit = 256
    /// The most at QoS 2 on a connection of MQTT 3.1.1, where a broker cannot tell its limit: mosquitto acknowledges
    /// what exceeds its own, 20 unless configured, and loses it (2.0.11, measured: 800 of 1,000 with 100 in flight).
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

    init(limit: Int, version: ProtocolVersion = .v5) {
        self.limit = limit
        exactlyOnceLimit = version == .v5 ? limit : min(limit, Self.exactlyOnceLimitBefore5)
    }

    var isEmpty: Bool { entries.isEmpty }

    /// How many more messages may be given to the library, whatever their QoS.
    var room: Int { max(0, min(limit - acknowledged, Self.unacknowledgedLimit - (entries.count - acknowledged))) }

    /// How many of these may be at QoS 2.
    var exactlyOnceRoom: Int { max(0, exactlyOnceLimit - exactlyOnce) }

    /// Whether one more message of that QoS may be given to the library.
    func hasRoom(for qos: QoS) -> Bool { room > 0 && (qos < .exactlyOnce || exactlyOnceRoom > 0) }

    /// A message was given to the library.
    mutating func sent(_ publication: Publication, packetID: Int32) {
        order += 1
        if publication.message.qos > .atMostOnce { acknowledged += 1 }
        if publication.message.qos == .exactlyOnce { exactlyOnce += 1 }
        entries[packetID] = Entry(order: order, publication: publication)
    }

    /// The library reports that a message is done. Nil for one that is not ours.
    mutating func completed(packetID: Int32) -> Publication? {
        guard let entry = entries.removeValue(forKey: packetID) else { return nil }
        if entry.publication.message.qos > .atMostOnce { acknowledged -= 1 }
        if entry.publication.message.qos == .exactlyOnce { exactlyOnce -= 1 }
        return entry.publication
    }

    /// The connection is lost: what was under way, in the order in which it was sent.
    mutating func lost() -> [Publication] {
        defer {
            entries.removeAll()
            acknowledged = 0
            exactlyOnce = 0
        }
        return entries.values.sorted { $0.order < $1.order }.map(\.publication)
    }
}
