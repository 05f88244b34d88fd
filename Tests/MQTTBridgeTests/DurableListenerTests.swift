import AsyncEventBus
import MessageStore
import Mosquitto
import TestSupport
import Testing

@testable import MQTTBridge

extension BridgeTests {
    @Suite("durable in: listeners")
    struct DurableListeners {
        private let routes = [Route("t/{n}", "t.{n}", direction: .in)]

        @Test("F11: a message that a listener cannot deal with is retried, then a dead letter, and can be run again")
        func deadLetter() async throws {
            let broker = try MosquittoBroker.start()
            let store = MemoryStore()
            let station = try Station([try .quick(broker.url)], routes: routes, store: store, hears: false)
            let (failing, other) = (Hearer(), Hearer())
            failing.fail(at: ["2"])
            let retry = RetryPolicy(attempts: 3, shortest: .milliseconds(1), longest: .milliseconds(5))
            try failing.join(station.bus, "failing", to: "t.*", retry: retry)
            try other.join(station.bus, "other", to: "t.*")
            try await withPlainClient(broker.url, []) { plain in
                try await withRunning(station) {
                    for number in 1...3 { try await plain.publish("t/\(number)", "\(number)") }
                    try await until { try store.letters.count == 1 }
                    try await until { try store.count(.inbound) == 0 }
                    #expect(failing.finished == ["1", "3"])
                    #expect(other.finished == ["1", "2", "3"])
                    let expected = [("1", 1), ("2", 1), ("2", 2), ("2", 3), ("3", 1)]
                    #expect(failing.calls == expected.map { Hearer.Call(text: $0.0, attempt: $0.1) })

                    let letter = try #require(try store.letters.first)
                    #expect((letter.topic, letter.event, letter.listener) == ("t/2", "t.2", "failing"))
                    #expect((letter.error, letter.attempts) == ("made to fail", 3))
                    #expect(letter.payload == Array("2".utf8))
                    #expect(letter.died >= letter.time && letter.time > 0)
                    let report = try await station.tells("deadletter")
                    #expect((report["topic"], report["listener"], report["attempts"]) == ("t/2", "failing", "3"))

                    failing.fail(at: [])
                    #expect(try store.requestReplay(of: .all) == 1)
                    try await until { failing.finished == ["1", "3", "2"] }
                    try await until { try store.count(.inbound) == 0 && store.letters.isEmpty }
                }
            }
            #expect(other.finished == ["1", "2", "3"])
            #expect(failing.calls.last == Hearer.Call(text: "2", attempt: 1))
        }

        @Test("F10: a slow listener holds up no other, and gets everything in order from the store when it can")
        func slow() async throws {
            let broker = try MosquittoBroker.start()
            let store = MemoryStore()
            let station = try Station([try .quick(broker.url)], routes: routes, store: store, hears: false)
            let (slow, quick) = (Hearer(isOpen: false), Hearer())
            let listener = try slow.join(station.bus, "slow", to: "t.*", capacity: 8)
            try quick.join(station.bus, "quick", to: "t.*")
            let numbers = (0..<400).map(String.init)
            try await withPlainClient(broker.url, []) { plain in
                try await withRunning(station) {
                    for number in numbers.prefix(200) { try await plain.publish("t/a", number) }
                    try await until { quick.finished.count == 200 }
                    #expect(slow.calls.count == 1)
                    // The rest waits in the store, not in memory.
                    #expect((station.bus.load(of: listener)?.waiting ?? .max) < 8)
                    #expect(try store.count(.inbound) == 200)
                    slow.open()
                    for number in numbers.dropFirst(200) { try await plain.publish("t/a", number) }
                    try await until { slow.finished.count == 400 && quick.finished.count == 400 }
                    try await until { try store.count(.inbound) == 0 }
                }
            }
            #expect(slow.finished == numbers)
            #expect(quick.finished == numbers)
            #expect(slow.calls.allSatisfy { $0.attempt == 1 })
            #expect(station.droppedNothing)
        }

        @Test("a listener that leaves the bus is no longer waited for, whatever waits for it in the store")
        func removed() async throws {
            let broker = try MosquittoBroker.start()
            let store = MemoryStore()
            let station = try Station([try .quick(broker.url)], routes: routes, store: store, hears: false)
            let slow = Hearer(isOpen: false)
            let listener = try slow.join(station.bus, "slow", to: "t.*", capacity: 4)
            try await withPlainClient(broker.url, []) { plain in
                try await withRunning(station) {
                    for number in 0..<50 { try await plain.publish("t/a", "\(number)") }
                    try await until { try store.count(.inbound) == 50 }
                    station.bus.removeListener(listener)
                    slow.open()
                    try await until { try store.count(.inbound) == 0 }
                }
            }
            #expect(slow.finished == ["0"])
        }

        @Test("what waits in the store for a listener that is added later comes to it")
        func late() async throws {
            let broker = try MosquittoBroker.start()
            let store = MemoryStore()
            let process = WatchedStore(store)
            let first = try Station([try .quick(broker.url)], routes: routes, store: process, hears: false)
            let slow = Hearer(isOpen: false)
            try slow.join(first.bus, "slow", to: "t.*")
            try await withPlainClient(broker.url, []) { plain in
                try await withRunning(first) {
                    for number in 0..<5 { try await plain.publish("t/a", "\(number)") }
                    try await until { try store.count(.inbound) == 5 }
                    process.fail(.io)
                    slow.open()
                }
                let second = try Station([try .quick(broker.url)], routes: routes, store: store)
                let late = Hearer()
                try await withRunning(second) {
                    try await plain.publish("t/a", "new")
                    try await second.hears(1)
                    try late.join(second.bus, "slow", to: "t.*")
                    try await plain.publish("t/a", "newest")
                    try await until { late.finished.count == 6 }
                    try await until { try store.count(.inbound) == 0 }
                }
                #expect(late.finished == ["0", "1", "2", "3", "4", "newest"])
            }
        }

        @Test("a message whose listener ends the process each time is a dead letter in the end")
        func endsTheProcess() async throws {
            let broker = try FakeBroker { try $0.serve() }
            let store = MemoryStore()
            var attempts: [Int] = []
            for round in 0..<12 where try store.letters.isEmpty {
                let process = WatchedStore(store)
                let station = try Station([try .quick(broker.url)], routes: routes, store: process, hears: false)
                let deadly = Hearer(isOpen: false)
                try deadly.join(station.bus, "deadly", to: "t.*")
                try await withRunning(station) {
                    if round == 0 {
                        try #require(broker.peers.last)
                            .send(.publish(topic: "t/a", payload: [120], qos: 1, packetID: 1))
                    }
                    try await until { try !deadly.calls.isEmpty || !store.letters.isEmpty }
                    process.fail(.io)
                    deadly.open()
                }
                attempts += deadly.calls.map(\.attempt)
            }
            #expect(attempts == attempts.sorted())
            #expect(attempts.count >= InboundDelivery.suspiciousRecoveries)
            #expect(try store.letters.map(\.listener) == ["deadly"])
            #expect(try store.count(.inbound) == 0)
        }
    }
}
