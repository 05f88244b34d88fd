import ArgumentParser
import MessageStore
import SQLiteStore

/// Makes a store in which messages wait, with the names that durable-bridge has.
@main
struct StoreFiller: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store-filler",
        abstract: "Puts messages into a store, for a listener that is absent or for the broker."
    )

    @Option(help: "The file of the store.")
    var database: String
    @Option(help: "Which way they go: inbound or outbound.")
    var direction: String
    @Option(help: "How many there are.")
    var messages: Int
    @Option(help: "The size of each payload, in bytes.")
    var payload = 100

    /// How many one commit keeps.
    private static let batch = 10_000
    /// How many topics they have in turn.
    private static let topics = 1_000

    func run() throws {
        guard let direction = DeadLetter.Direction(rawValue: direction) else {
            throw ValidationError("--direction is inbound or outbound")
        }
        let store = try SQLiteStore.open(SQLiteStoreOptions(path: database, synchronous: .normal))
        defer { store.close() }
        for start in stride(from: 1, through: messages, by: Self.batch) {
            var batch = StoreBatch()
            for number in start...min(start + Self.batch - 1, messages) {
                switch direction {
                case .inbound: batch.arrivals.append(inbound(number))
                case .outbound: batch.departures.append(outbound(number))
                }
            }
            try store.commit(batch)
        }
    }

    private func inbound(_ number: Int) -> InboundRecord {
        let room = number % Self.topics
        return InboundRecord(
            sequence: Int64(number),
            route: "home/{room}/temperature",
            broker: "default",
            topic: "home/\(room)/temperature",
            event: "climate.\(room).temperature",
            source: "filler",
            tag: "\(number)",
            payload: [UInt8](repeating: 1, count: payload),
            time: Int64(number),
            listeners: ["absent"]
        )
    }

    private func outbound(_ number: Int) -> OutboundRecord {
        let room = number % Self.topics
        return OutboundRecord(
            sequence: Int64(number),
            route: "bench/{n}",
            broker: "default",
            topic: "bench/\(room)",
            event: "bench.\(room)",
            source: "filler",
            tag: "\(number)",
            payload: [UInt8](repeating: 1, count: payload),
            qos: 1,
            time: Int64(number)
        )
    }
}
