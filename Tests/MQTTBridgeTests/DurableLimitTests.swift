import AsyncEventBus
import MessageStore
import Mosquitto
import TestSupport
import Testing

@testable import MQTTBridge

extension BridgeTests {
    @Suite("limits of the store")
    struct DurableLimits {
        /// The most messages that a client reads at a time.
        private static let batch = 256

        private func routes(_ policy: StorePolicy, _ messages: Int) -> [Route] {
            [Route("t/{n}", "t.{n}", direction: .in), Route("o/{n}", "o.{n}", direction: .out)].map { route in
                var route = route
                route.policy = policy
                route.limits = StoreLimits(messages: messages, bytes: 1_000_000)
                return route
            }
        }

        @Test(
            "in: where nothing may be lost the bridge stops reading, and goes on when a quarter is free",
            arguments: [StorePolicy.block, .reject],
            [Duration.zero, .seconds(5)]
        )
        func block(policy: StorePolicy, hold: Duration) async throws {
            let broker = try MosquittoBroker.start()
            let store = MemoryStore()
            let quick = try Broker.quick(broker.url) { $0.timeouts.hold = hold }
            let station = try Station([quick], routes: routes(policy, 10), store: store, hears: false)
            let slow = Hearer(isOpen: false)
            try slow.join(station.bus, "slow", to: "t.*", capacity: 2)
            try await withPlainClient(broker.url, []) { plain in
                try await withRunning(station) {
                    for number in 0..<500 { try await plain.publish("t/a", "\(number)") }
                    try await until { try store.count(.inbound) >= 10 }
                    if hold == .zero {
                        #expect(try await station.tells("parked")["reason"] == "the store is full")
                    }
                    try await settled { (try? store.count(.inbound)) ?? 0 }
                    // What was read with the last one that fitted, and no more.
                    #expect(try store.count(.inbound) < 10 + Self.batch)
                    slow.open()
                    try await until(within: .seconds(30)) { slow.finished.count == 500 }
                    try await until { try store.count(.inbound) == 0 }
                    if hold == .zero { try await station.tells("resumed") }
                }
            }
            #expect(slow.finished == (0..<500).map(String.init))
            #expect(station.droppedNothing)
        }

        @Test(
            "in: what does not fit is dropped and counted, the oldest or the newest",
            arguments: [StorePolicy.dropOldest, .dropNewest]
        )
        func drop(policy: StorePolicy) async throws {
            let broker = try MosquittoBroker.start()
            let store = MemoryStore()
            let station = try Station([try .quick(broker.url)], routes: routes(policy, 10), store: store, hears: false)
            let slow = Hearer(isOpen: false)
            try slow.join(station.bus, "slow", to: "t.*", capacity: 1)
            try await withPlainClient(broker.url, []) { plain in
                try await withRunning(station) {
                    for number in 0..<60 { try await plain.publish("t/a", "\(number)") }
                    try await settled {
                        Int((try? store.inbound(after: 0, limit: 1, bytes: 1).first?.record.sequence) ?? 0)
                    }
                    #expect(try store.count(.inbound) == 10)
                    slow.open()
                    try await until { try store.count(.inbound) == 0 }
                }
            }
            let kept = policy == .dropNewest ? 0..<10 : 50..<60
            // The one that ran when it was pushed out had begun.
            let running = policy == .dropNewest ? [] : ["0"]
            #expect(slow.finished == running + kept.map(String.init))
            let report = try await station.tells("dropped")
            #expect((report["broker"], report["topic"]) == ("default", "t/a"))
        }

        @Test(
            "out: what does not fit is dropped and counted, or refused at once, or waits",
            arguments: StorePolicy.allCases
        )
        func out(policy: StorePolicy) async throws {
            let broker = try MosquittoBroker.start()
            broker.stop()
            let store = MemoryStore()
            let station = try Station([try .quick(broker.url)], routes: routes(policy, 10), store: store)
            try await withRunning(station, ready: false) {
                for number in 0..<10 { station.bus.emit("o.a", "\(number)") }
                try await until { try store.count(.outbound) == 10 }
                let late = station.bus.tracked.emit("o.a", "late")
                if policy == .dropOldest {
                    try await withTimeLimit(.seconds(30)) { try await late.stored() }
                    #expect(try store.waiting() == (1..<10).map(String.init) + ["late"])
                } else {
                    await #expect(throws: (any Error).self) {
                        try await withTimeLimit(.seconds(30)) { try await late.stored() }
                    }
                    #expect(try store.waiting() == (0..<10).map(String.init))
                }
                try await station.tells("dropped")
                let bus = station.bus
                let send = Task { try await bus.emitWhenRoom("o.a", "sent") }
                if policy != .block { try await withTimeLimit(.seconds(30)) { try await send.value } }
                try broker.restart()
                try await withPlainClient(broker.url) { plain in
                    try await withTimeLimit(.seconds(30), "send returns") { try await send.value }
                    try await until { try store.count(.outbound) == 0 }
                    try await settled { plain.count }
                }
            }
        }

        @Test("dead letters are bounded in bytes by the commit that adds them, and those that go are counted")
        func deadLetterBytes() async throws {
            let broker = try MosquittoBroker.start()
            let store = WatchedStore()
            var options = BridgeOptions()
            options.store.deadLetterBytes = 5_000
            let routes = [Route("t/{n}", "t.{n}", direction: .in)]
            let quick = try Broker.quick(broker.url)
            let station = try Station([quick], routes: routes, options: options, store: store, hears: false)
            try station.bus.on("t.*", durable: "fails", delivery: .serial) { _ in throw CancellationError() }
            let text = String(repeating: "x", count: 1_000)
            try await withPlainClient(broker.url, []) { plain in
                try await withRunning(station) {
                    for _ in 0..<12 { try await plain.publish("t/a", text) }
                    try await until { try store.count(.inbound) == 0 && store.letters.last?.number == 12 }
                    #expect(try await station.tells("dropped")["reason"] == "too many dead letters: the oldest went")
                }
            }
            let letters = try store.letters
            #expect(letters.reduce(0) { $0 + $1.size } <= 5_000 && letters.count >= 3)
            for batch in store.batches where !batch.deadLetters.isEmpty {
                #expect(batch.evictions.contains(.deadLetters(keep: options.store.deadLetters, bytes: 5_000)))
            }
        }

        @Test("a send that is larger than what is free waits without turning round and round")
        func largeSend() async throws {
            var route = Route("o/{n}", "o.{n}", direction: .out)
            route.limits = StoreLimits(messages: 100, bytes: 1_000)
            let store = WatchedStore()
            let station = try Station([try .quick("mqtt://127.0.0.1:1")], routes: [route], store: store)
            let first = station.bus.tracked.emit("o.a", Payload([UInt8](repeating: 0, count: 400)))
            try await withTimeLimit(.seconds(30)) { try await first.stored() }
            let bus = station.bus
            let send = Task { try await bus.emitWhenRoom("o.a", Payload([UInt8](repeating: 0, count: 700))) }
            try await settled { store.attempts }
            send.cancel()
            // One that turned round and round would never notice.
            await #expect(throws: CancellationError.self) {
                try await withTimeLimit(.seconds(30)) { try await send.value }
            }
        }
    }
}
