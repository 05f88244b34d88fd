import FoundationEssentials
import MessageStore
import Mosquitto

/// Remembers in the store the subscriptions of the sessions that a broker keeps for a bridge.
///
/// A broker does not list subscriptions, and keeps those of removed routes. So filters are recorded before SUBSCRIBE is
/// sent and deleted after UNSUBACK. A crash in between leaves a superfluous filter, which is unsubscribed once more.
struct SessionMemory: Sendable {
    private let store: any MessageStore
    private let broker: String
    private let clientID: String
    private let filters: [String]
    /// Filters that no route needs any more, which the session of the same client identifier may still have.
    let former: [String]
    /// Client identifiers that the bridge no longer uses, whose sessions may still exist.
    let formerClientIDs: [String]

    /// Reads the record, and adds the filters that are about to be subscribed.
    init(
        of clientID: String,
        at broker: String,
        _ filters: [String],
        in store: any MessageStore
    ) throws(StoreError) {
        self.store = store
        self.broker = broker
        self.filters = filters
        self.clientID = clientID
        let known = try Self.sessions(broker, store)
        let own = Set(known[clientID] ?? [])
        former = own.subtracting(filters).sorted()
        formerClientIDs = known.keys.filter { $0 != clientID && known[$0]?.isEmpty == false }.sorted()
        if own.union(filters) != own || !formerClientIDs.isEmpty { try write(former + filters) }
    }

    /// Adds other filters to the record, which are about to be subscribed in place of the current ones.
    func next(_ filters: [String]) throws(StoreError) -> SessionMemory {
        try SessionMemory(of: clientID, at: broker, filters, in: store)
    }

    /// Deletes the former filters from the record: they are unsubscribed.
    func settled() throws(StoreError) {
        if !former.isEmpty { try write(filters) }
    }

    private func write(_ filters: [String]) throws(StoreError) {
        let list = "[" + Set(filters).sorted().map(JSONText.string).joined(separator: ",") + "]"
        try store.setText(JSONText.object([(clientID, list)]), named: Self.name(broker))
    }

    /// Whether the broker may keep a session with subscriptions under a client identifier.
    static func holdsAny(_ broker: String, clientID: String, in store: any MessageStore) throws(StoreError) -> Bool {
        try sessions(broker, store)[clientID]?.isEmpty == false
    }

    private static func name(_ broker: String) -> String { "sessions at \(broker)" }

    private static func sessions(_ broker: String, _ store: any MessageStore) throws(StoreError) -> [String: [String]] {
        let text = try store.text(named: name(broker), initial: "{}")
        // An unreadable record counts as empty.
        return (try? JSONDecoder().decode([String: [String]].self, from: Data(text.utf8))) ?? [:]
    }
}
