import MessageStore

/// Everything that can be read from a store but for the identities, which only `recover()` gives.
struct StoreContents: Equatable {
    /// The brokers that tests use.
    static let brokers = ["main", "cloud"]

    var inbound: [InboundEntry] = []
    var outbound: [String: [OutboundRecord]] = [:]
    var topics: [String: Set<String>] = [:]
    var letters: [DeadLetter] = []
    var loads: [StoreStatus.Load] = []
    var seen = 0

    init() {
        for broker in Self.brokers {
            outbound[broker] = []
            topics[broker] = []
        }
    }

    init(of store: any MessageStore) throws {
        inbound = try store.inbound(after: 0, limit: .max, bytes: .max)
        for broker in Self.brokers {
            outbound[broker] = try store.outbound(to: broker, after: 0, limit: .max, bytes: .max)
            topics[broker] = Set(try store.outboundTopics(to: broker, limit: .max))
        }
        letters = try store.deadLetters(.all, limit: .max)
        let status = try store.status()
        loads = status.loads
        seen = status.seen
    }
}
