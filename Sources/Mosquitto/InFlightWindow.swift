/// The messages that were given to the library and not yet acknowledged, by packet identifier. Pure.
///
/// libmosquitto keeps a list that it searches from the front for each acknowledgement, so it is never given more than
/// this window.
struct InFlightWindow: Sendable {
    /// QoS 0 messages are confirmed as soon as they are written: this many may wait for that.
    static let unacknowledgedLimit = 256

    private struct Entry: Sendable {
        let order: UInt64
        let publication: Publication
    }

    private let limit: Int
    private var entries: [Int32: Entry] = [:]
    private var order: UInt64 = 0
    private var acknowledged = 0

    init(limit: Int) {
        self.limit = limit
    }

    var isEmpty: Bool { entries.isEmpty }

    /// How many more messages may be given to the library, whatever their QoS.
    var room: Int { max(0, min(limit - acknowledged, Self.unacknowledgedLimit - (entries.count - acknowledged))) }

    /// A message was given to the library.
    mutating func sent(_ publication: Publication, packetID: Int32) {
        order += 1
        if publication.message.qos > .atMostOnce { acknowledged += 1 }
        entries[packetID] = Entry(order: order, publication: publication)
    }

    /// The library reports that a message is done. Nil for one that is not ours.
    mutating func completed(packetID: Int32) -> Publication? {
        guard let entry = entries.removeValue(forKey: packetID) else { return nil }
        if entry.publication.message.qos > .atMostOnce { acknowledged -= 1 }
        return entry.publication
    }

    /// The connection is lost: what was under way, in the order in which it was sent.
    mutating func lost() -> [Publication] {
        defer {
            entries.removeAll()
            acknowledged = 0
        }
        return entries.values.sorted { $0.order < $1.order }.map(\.publication)
    }
}
