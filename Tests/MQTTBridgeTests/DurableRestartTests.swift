import AsyncEventBus
import MessageStore
import Mosquitto
import TestSupport
import Testing

@testable import MQTTBridge

extension BridgeTests {
    @Suite("durable in: restarts")
    struct DurableRestarts {
        private let routes = [Route("t/{n}", "t.{n}", direction: .in), Route("u/{n}", "u.{n}", direction: .in)]

        /// A process of its own. It ends in order, unless `crashes`: then nothing of what it does last is kept. Calls that
        /// run when it ends never return to it.
        private func process(
            _ broker: FakeBroker,
            _ store: any MessageStore,
            crashes: Bool = false,
            join: (EventBus) throws -> [Hearer],
            body: (Station) async throws -> Void
        ) async throws {
            let watched = WatchedStore(store)
            var broker = try Broker.quick(broker.url)
            broker.options.timeouts.drain = .milliseconds(100)
            let station = try Station([broker], routes: routes, store: watched, hears: false)
            let hearers = try join(station.bus)
            func letGo() {
                for hearer in hearers {
                    hearer.fail(at: [])
                    hearer.open()
                }
            }
            try await withRunning(station, idle: letGo) {
                try await body(station)
                if crashes { watched.fail(.io) }
            }
        }

        private func publish(_ broker: FakeBroker, _ topics: [String]) throws {
            let peer = try #require(broker.peers.last)
            for (offset, topic) in topics.enumerated() {
                let payload = Array(topic.utf8)
                try peer.send(.publish(topic: topic, payload: payload, qos: 1, packetID: UInt16(offset + 1)))
            }
        }

        /// A store with messages for a listener, as processes have left it that did not end in order.
        private func store(_ count: Int, for listener: String, crashes: Int) throws -> MemoryStore {
            let store = MemoryStore()
            var batch = StoreBatch()
            batch.arrivals = (1...count).map { number in
                InboundRecord(
                    sequence: Int64(number),
                    route: routes[0].name,
                    broker: "default",
                    topic: "t/a",
                    event: "t.a",
                    source: "s",
                    tag: "\(number)",
                    payload: Array("\(number)".utf8),
                    time: 1,
                    listeners: [listener]
                )
            }
            try store.commit(batch)
            var began = StoreBatch()
            began.life = .began
            for _ in 0..<crashes {
                try store.commit(began)
                _ = try store.recover()
            }
            return store
        }

        @Test("ends in order are no failures: a listener that fails goes on from attempt to attempt")
        func inOrder() async throws {
            let broker = try FakeBroker { try $0.serve() }
            let store = MemoryStore()
            let retry = RetryPolicy(attempts: 1_000, shortest: .milliseconds(1), longest: .milliseconds(5))
            var last = 0
            for round in 0...10 {
                let failing = Hearer()
                failing.fail(at: ["t/a"])
                try await process(broker, store, join: { [try failing.joining($0, "failing", retry: retry)] }) { _ in
                    if round == 0 { try publish(broker, ["t/a"]) }
                    try await until { failing.calls.count >= 3 }
                    let progress = { try store.inbound(after: 0, limit: 1, bytes: .max).first?.progress["failing"] }
                    try await until { (try progress()?.attempts ?? 0) >= failing.calls[1].attempt }
                }
                #expect(failing.calls[0].attempt > last)
                let attempts = failing.calls.map(\.attempt)
                #expect(attempts == Array(attempts[0]..<attempts[0] + attempts.count))
                last = failing.calls[1].attempt
            }
            #expect(try store.letters.isEmpty)
            #expect(try store.inbound(after: 0, limit: 1, bytes: .max).map(\.recoveries) == [0])
        }

        @Test("a crash is seen by the listener, and takes none of the attempts that it has")
        func crashed() async throws {
            let broker = try FakeBroker { try $0.serve() }
            let store = MemoryStore()
            let retry = RetryPolicy(attempts: 3, shortest: .milliseconds(1), longest: .milliseconds(5))
            for round in 0..<2 {
                let hearer = Hearer(isOpen: false)
                try await process(broker, store, crashes: true, join: { [try hearer.joining($0, "x", retry: retry)] }) {
                    _ in
                    if round == 0 { try publish(broker, ["t/a"]) }
                    try await until { hearer.calls.count == 1 }
                }
                #expect(hearer.calls.map(\.attempt) == [round + 1])
            }
            let failing = Hearer()
            failing.fail(at: ["t/a"])
            try await process(broker, store, join: { [try failing.joining($0, "x", retry: retry)] }) { _ in
                try await until { try store.letters.count == 1 }
            }
            #expect(failing.calls.map(\.attempt) == [2, 3, 4])
            #expect(try store.letters.map(\.attempts) == [3])
        }

        @Test("starts that come to nothing count for nothing")
        func failedStarts() async throws {
            let broker = try FakeBroker { try $0.serve() }
            let store = try store(1, for: "x", crashes: 0)
            for _ in 0..<10 {
                _ = try Station([try .quick(broker.url)], routes: routes, store: store, hears: false)
            }
            let hearer = Hearer()
            try await process(broker, store, join: { [try hearer.joining($0, "x")] }) { _ in
                try await until { try store.count(.inbound) == 0 }
            }
            #expect(hearer.calls.map(\.attempt) == [1])
        }

        @Test("a backlog that has outlived crashes costs no commit for each call")
        func oldBacklog() async throws {
            let broker = try FakeBroker { try $0.serve() }
            let store = try store(2_000, for: "x", crashes: 5)
            let watched = WatchedStore(store)
            let station = try Station([try .quick(broker.url)], routes: routes, store: watched, hears: false)
            let hearer = Hearer()
            try hearer.join(station.bus, "x")
            try await withRunning(station) { try await until { try store.count(.inbound) == 0 } }
            #expect(hearer.finished == (1...2_000).map(String.init))
            #expect(hearer.calls.allSatisfy { $0.attempt == 2 })
            print("2,000 old messages: \(watched.batches.count) commits")
            // One for some 20 ms of work, however many calls there are in it: more of them where all is slow.
            #expect(watched.batches.count < hearer.calls.count / 2)
        }

        @Test("of a page that a crash leaves under suspicion, an end in order takes nothing further")
        func suspicion() async throws {
            let broker = try FakeBroker { try $0.serve() }
            let store = try store(3, for: "x", crashes: 3)
            func progress() throws -> [Int] {
                try store.inbound(after: 0, limit: 9, bytes: .max).map { $0.progress["x"]?.interruptions ?? 0 }
            }
            for crashes in [false, true, false, true] {
                let hearer = Hearer(isOpen: false)
                let before = try progress()
                try await process(broker, store, crashes: crashes, join: { [try hearer.joining($0, "x")] }) { _ in
                    try await until { hearer.calls.count == 1 }
                }
                if !crashes { #expect(try progress() == before) }
            }
            // The whole page after the first crash, and after the second one only what ran.
            #expect(try progress() == [2, 1, 1])
            #expect(try store.letters.isEmpty)
        }

        @Test("what waits for a listener goes to the one of its name whose patterns match, and to no other")
        func patterns() async throws {
            let broker = try FakeBroker { try $0.serve() }
            let store = MemoryStore()
            try await process(broker, store, crashes: true) { bus in
                let hearer = Hearer(isOpen: false)
                try bus.addListener(hearer.join(bus, "x", to: "t.*"), to: "u.*")
                return [hearer]
            } body: { _ in
                try publish(broker, ["t/a", "u/a", "t/b", "u/b"])
                try await until { try store.count(.inbound) == 4 }
            }
            let (left, right, other) = (Hearer(), Hearer(), Hearer())
            try await process(broker, store) { bus in
                try [left.joining(bus, "x", to: "t.*"), other.joining(bus, "z", to: "v.*")]
            } body: { _ in
                try await until { try store.count(.inbound) == 2 }
            }
            #expect(left.finished == ["t/a", "t/b"])
            try await process(broker, store) { bus in
                try [right.joining(bus, "x", to: "u.*"), other.joining(bus, "y", to: "**")]
            } body: { _ in
                try await until { try store.count(.inbound) == 0 }
            }
            #expect(right.finished == ["u/a", "u/b"])
            #expect(other.calls.isEmpty)
        }

        @Test("a listener that has nothing in the store does not read it since others have")
        func absent() async throws {
            let broker = try FakeBroker { try $0.serve() }
            let store = WatchedStore(try store(1_000, for: "away", crashes: 0))
            let station = try Station([try .quick(broker.url)], routes: routes, store: store, hears: false)
            let (here, away) = (Hearer(), Hearer())
            try here.join(station.bus, "here")
            try await withRunning(station) {
                try publish(broker, ["t/a", "u/a"])
                try await until { here.finished.count == 2 }
                #expect(store.inboundReads == 0)
                try away.join(station.bus, "away")
                try await until { try store.count(.inbound) == 0 }
            }
            #expect(away.finished.count == 1_000)
        }
    }
}

extension Hearer {
    /// As ``join(_:_:to:delivery:capacity:retry:)``; returns itself.
    fileprivate func joining(
        _ bus: EventBus,
        _ name: String,
        to pattern: EventPattern = "**",
        retry: RetryPolicy = .never
    ) throws -> Hearer {
        try join(bus, name, to: pattern, retry: retry)
        return self
    }
}
