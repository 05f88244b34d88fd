package import MessageStore

/// The readable contents of a store, except the identities, which only `recover()` returns.
package struct StoreContents: Equatable {
    /// The brokers that tests use.
    package static let brokers = ["main", "cloud"]

    package var inbound: [InboundEntry] = []
    package var outbound: [String: [OutboundRecord]] = [:]
    package var topics: [String: Set<String>] = [:]
    package var letters: [DeadLetter] = []
    package var loads: [StoreStatus.Load] = []
    package var seen = 0

    package init() {
        for broker in Self.brokers {
            outbound[broker] = []
            topics[broker] = []
        }
    }

    package init(of store: any MessageStore) throws {
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
