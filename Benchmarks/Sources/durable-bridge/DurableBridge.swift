import ArgumentParser
import AsyncEventBus
import BufferedIO
import Foundation
import Logging
import MQTTBridge
import MessageStore
import Mosquitto
import SQLiteStore

/// A bridge with a durable route in each direction and one named listener, which counts.
@main
struct DurableBridge: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "durable-bridge",
        abstract: "Takes so many messages in through a durable route, or emits them, then ends."
    )

    @Option(help: "The port of the broker on 127.0.0.1.")
    var port: Int
    @Option(help: "The file of the store.")
    var database: String
    @Option(help: "What a commit waits for: full or normal.")
    var synchronous: String
    @Option(help: "The version of the protocol: 4 for MQTT 3.1.1, or 5.")
    var mqtt: Int
    @Option(help: "How many messages there are.")
    var messages: Int
    /// With it, standard error has a line where the count begins, and one where it ends.
    @Option(help: "How many of them come first and do not count.")
    var warmUp: Int?
    @Flag(help: "Emits the messages, instead of waiting for them.")
    var emits = false
    @Option(help: "How many are emitted in a second; without it as many as the bridge takes.")
    var rate: Int?
    @Option(help: "The size of each payload that is emitted, in bytes.")
    var payload = 64

    func run() async throws {
        guard let synchronous = SQLiteStoreOptions.Synchronous(rawValue: synchronous) else {
            throw ValidationError("--synchronous is full or normal")
        }
        let store = try SQLiteStore.open(SQLiteStoreOptions(path: database, synchronous: synchronous))
        defer { store.close() }
        BufferedIO.enable()
        let bus = EventBus()
        let bridge = try bridge(on: bus, store)
        let counter = Counter(marks: [warmUp, messages].compactMap(\.self))
        let listener = try bus.on("climate.**", durable: "count") { _ in counter.increment() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await bridge.run() }
            try await bridge.becomeReady()
            bus.emit("ready")
            if emits { try await emit(on: bus, store) } else { try await count(counter, store) }
            group.cancelAll()
            try await group.waitForAll()
        }
        bus.removeListener(listener, from: "climate.**")
    }

    private func bridge(on bus: EventBus, _ store: SQLiteStore) throws -> Bridge {
        var client = ClientOptions()
        client.version = mqtt == 5 ? .v5 : .v3_1_1
        var options = BridgeOptions()
        // Also for a store in which a million messages wait.
        options.store.limits = StoreLimits(messages: 10_000_000, bytes: 16 * 1024 * 1024 * 1024)
        return try Bridge(
            bus: bus,
            brokers: [try Broker("mqtt://127.0.0.1:\(port)", options: client)],
            routes: [
                Route("home/{room}/temperature", "climate.{room}.temperature", direction: .in),
                Route("bench/{n}", "bench.{n}", direction: .out, qos: .atLeastOnce),
                Route("ready", "ready", direction: .out, qos: .atMostOnce),
            ],
            options: options,
            store: store,
            logger: Logger(label: "durable-bridge") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    /// Waits for all messages.
    private func count(_ counter: Counter, _ store: SQLiteStore) async throws {
        if let warmUp {
            await counter.reach(warmUp)
            // That they are done with is noted a little later.
            try await Task.sleep(for: .milliseconds(50))
            mark(counter.value)
        }
        await counter.reach(messages)
        try await becomeEmpty(store)
        if warmUp != nil { mark(messages) }
    }

    /// Emits all messages.
    private func emit(on bus: EventBus, _ store: SQLiteStore) async throws {
        let payload = Payload([UInt8](repeating: 0, count: payload))
        var last: Receipt?
        var begin = ContinuousClock.now
        for number in 0..<messages {
            if number == warmUp {
                try await last?.published()
                try await becomeEmpty(store)
                mark(number)
                begin = .now
            }
            if let rate, number >= warmUp ?? 0 {
                let due = begin + .seconds(1) * (number - (warmUp ?? 0)) / rate
                try await Task.sleep(until: due, clock: .continuous)
            }
            last = try await bus.tracked.emitWhenRoom("bench.0", payload)
        }
        try await last?.published()
        try await becomeEmpty(store)
        if warmUp != nil { mark(messages) }
    }

    private func mark(_ messages: Int) {
        FileHandle.standardError.write(Data("messages that count: \(messages)\n".utf8))
    }

    /// Returns once the store has nothing left to be done with.
    private func becomeEmpty(_ store: SQLiteStore) async throws {
        for _ in 0..<1_000 {
            let isEmpty =
                try store.inbound(after: 0, limit: 1, bytes: 1).isEmpty
                && store.outbound(to: "default", after: 0, limit: 1, bytes: 1).isEmpty
            if isEmpty { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw ValidationError("the store is not empty 10 s after the last message")
    }
}
