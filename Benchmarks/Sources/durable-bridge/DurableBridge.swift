import ArgumentParser
import AsyncEventBus
import BufferedIO
import Logging
import MQTTBridge
import MessageStore
import Mosquitto
import SQLiteStore
import Synchronization

/// A bridge with one durable route and one named listener, which counts.
@main
struct DurableBridge: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "durable-bridge",
        abstract: "Takes so many messages in through a durable route, then ends."
    )

    @Option(help: "The port of the broker on 127.0.0.1.")
    var port: Int
    @Option(help: "The file of the store.")
    var database: String
    @Option(help: "What a commit waits for: full or normal.")
    var synchronous: String
    @Option(help: "The version of the protocol: 4 for MQTT 3.1.1, or 5.")
    var mqtt: Int
    @Option(help: "How many messages come.")
    var messages: Int

    func run() async throws {
        guard let synchronous = SQLiteStoreOptions.Synchronous(rawValue: synchronous) else {
            throw ValidationError("--synchronous is full or normal")
        }
        let store = try SQLiteStore.open(SQLiteStoreOptions(path: database, synchronous: synchronous)).store
        defer { store.close() }
        BufferedIO.enable()
        let bus = EventBus()
        var options = ClientOptions()
        options.version = mqtt == 5 ? .v5 : .v3_1_1
        let bridge = try Bridge(
            bus: bus,
            brokers: [try Broker("mqtt://127.0.0.1:\(port)", options: options)],
            routes: [
                Route("home/{room}/temperature", "climate.{room}.temperature", .in),
                Route("ready", "ready", .out, qos: .atMostOnce),
            ],
            store: store,
            logger: Logger(label: "durable-bridge") { _ in SwiftLogNoOpLogHandler() }
        )
        let counted = Atomic(0)
        let (all, whole) = AsyncStream.makeStream(of: Void.self)
        let listener = bus.on("climate.**", name: "count") { [messages] _ in
            if counted.add(1, ordering: .relaxed).newValue == messages { whole.finish() }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await bridge.run() }
            try await bridge.becomeReady()
            bus.emit("ready")
            for await _ in all {}
            try await Self.becomeEmpty(store)
            group.cancelAll()
            try await group.waitForAll()
        }
        bus.removeListener(listener, from: "climate.**")
    }

    /// Returns once the store has nothing left to be done with.
    private static func becomeEmpty(_ store: SQLiteStore) async throws {
        for _ in 0..<1_000 {
            if try store.inbound(after: 0, limit: 1, bytes: 1).isEmpty { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw ValidationError("the store is not empty 10 s after the last message was counted")
    }
}
