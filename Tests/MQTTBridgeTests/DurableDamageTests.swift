import AsyncEventBus
import Foundation
import GRDB
import MessageStore
import Mosquitto
import SQLiteStore
import TestSupport
import Testing

@testable import MQTTBridge

extension BridgeTests {
    @Suite("a store that is damaged while it is used")
    struct DurableDamage {
        private let routes = [Route("t/{n}", "t.{n}", direction: .in), Route("o/{n}", "o.{n}", direction: .out)]
        private let folder = try! TemporaryDirectory()
        private var path: String { folder.file("store.db") }

        /// Changes the file behind the store's back.
        private func execute(_ sql: String) throws {
            var configuration = Configuration()
            // The bridge writes too.
            configuration.busyMode = .timeout(10)
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
        }

        @Test("a damaged row on its way in becomes a dead letter, and the rest reaches the listener")
        func inbound() async throws {
            let broker = try MosquittoBroker.start()
            let store = try SQLiteStore.open(.init(path: path, synchronous: .normal))
            defer { store.close() }
            let station = try Station([try .quick(broker.url)], routes: routes, store: store, hears: false)
            let slow = Hearer(isOpen: false)
            try slow.join(station.bus, "slow", to: "t.*", capacity: 1)
            try await withPlainClient(broker.url, []) { plain in
                try await withRunning(station) {
                    for number in 0..<6 { try await plain.publish("t/a", "\(number)") }
                    try await until { try store.count(.inbound) == 6 }
                    let sequences = try store.inbound(after: 0, limit: 9, bytes: .max).map(\.record.sequence)
                    try execute("UPDATE inbound SET payload = x'00' WHERE sequence = \(sequences[3])")
                    slow.open()
                    try await until { try store.count(.inbound) == 0 }
                    let told = try await station.tells("deadletter")
                    #expect(told["topic"] == "t/a" && told["broker"] == "default")
                    #expect(told["reason"] == "the row was damaged in the store")
                    try await plain.publish("t/a", "6")
                    try await until { slow.finished.count == 6 }
                }
            }
            #expect(slow.finished == ["0", "1", "2", "4", "5", "6"])
            let letters = try store.letters
            #expect(letters.map(\.topic) == ["t/a"] && letters[0].direction == .inbound && letters[0].payload == nil)
            #expect(letters[0].route == routes[0].name && letters[0].event == "t.a")
            #expect(letters[0].error.contains("damaged"))
            #expect(station.reports("storefailed").isEmpty && station.reports("storerecovered").isEmpty)
            #expect(try store.check() == [])
        }

        @Test("a damaged row on its way out becomes a dead letter, its receipt says so, and the rest is published")
        func outbound() async throws {
            let broker = try MosquittoBroker.start()
            broker.stop()
            let store = try SQLiteStore.open(.init(path: path, synchronous: .normal))
            defer { store.close() }
            let station = try Station([try .quick(broker.url)], routes: routes, store: store)
            try await withRunning(station, ready: false) {
                let receipts = (0..<6).map { station.bus.tracked.emit("o.a", Payload("\($0)")) }
                try await until { try store.count(.outbound) == 6 }
                let sequences = try store.outbound(to: "default", after: 0, limit: 9, bytes: .max).map(\.sequence)
                // The first one, one in the middle and the last.
                for place in [0, 3, 5] {
                    try execute("UPDATE outbound SET details = 'x' WHERE sequence = \(sequences[place])")
                }
                try broker.restart()
                try await withPlainClient(broker.url, ["o/#"]) { plain in
                    try await until { try store.count(.outbound) == 0 }
                    station.bus.emit("o.a", "6")
                    try await until { try store.count(.outbound) == 0 && plain.texts.contains("6") }
                }
                for place in [0, 3, 5] {
                    await #expect(throws: (any Error).self) { try await receipts[place].published() }
                }
                for place in [1, 2, 4] { try await receipts[place].published() }
            }
            #expect(try store.letters.map(\.direction) == [.outbound, .outbound, .outbound])
            #expect(try store.letters.allSatisfy { $0.event == "o.a" && $0.payload == nil })
            #expect(station.reports("storefailed").isEmpty)
        }

        @Test("a page that SQLite calls corrupt ends the run with what it is, and nothing goes round")
        func page() async throws {
            let broker = try MosquittoBroker.start()
            let store = try SQLiteStore.open(.init(path: path, synchronous: .normal))
            defer { store.close() }
            var batch = StoreBatch()
            batch.departures = (1...4_000).map { .sample($0, topic: "o/a", route: "o/{n}", payload: 3_000) }
            try store.commit(batch)
            let station = try Station([try .quick(broker.url)], routes: routes, store: store)
            // Beyond what SQLite keeps of the pages.
            try execute("PRAGMA wal_checkpoint(TRUNCATE)")
            let file = try #require(FileHandle(forUpdatingAtPath: path))
            try file.seek(toOffset: 4_096 * 1_000)
            try file.write(contentsOf: Data(repeating: 0xA5, count: 4_096 * 1_000))
            try file.close()
            let error = await #expect(throws: StoreError.self) {
                try await withTimeLimit(.seconds(30), "run() ends") { try await station.bridge.run() }
            }
            #expect(error?.code == .damaged && error?.row == nil)
            await station.bus.waitUntilIdle()
            #expect(station.reports("storefailed").count == 1 && station.reports("storerecovered").isEmpty)
        }

        @Test("what can be written and not be read is told once, and tried again more and more seldom")
        func unreadable() async throws {
            let broker = try MosquittoBroker.start()
            let store = WatchedStore()
            let station = try Station([try .quick(broker.url)], routes: routes, store: store, hears: false)
            let slow = Hearer(isOpen: false)
            try slow.join(station.bus, "slow", to: "t.*", capacity: 1)
            try await withPlainClient(broker.url, []) { plain in
                try await withRunning(station) {
                    for number in 0..<3 { try await plain.publish("t/a", "\(number)") }
                    try await until { try store.count(.inbound) == 3 }
                    store.failReads(.io)
                    slow.open()
                    try await station.tells("storefailed")
                    let attempts = store.attempts
                    // The retries do commit.
                    try await until { store.attempts >= attempts + 3 }
                    #expect(station.reports("storefailed").count == 1 && station.reports("storerecovered").isEmpty)
                    store.failReads(nil)
                    try await station.tells("storerecovered")
                    try await until { slow.finished.count == 3 }
                }
            }
        }
    }
}
