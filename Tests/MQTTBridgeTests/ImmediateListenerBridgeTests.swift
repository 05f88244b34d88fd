import AsyncEventBus
import MessageStore
import Mosquitto
import TestSupport
import Testing

@testable import MQTTBridge

extension BridgeTests {
    @Suite("immediate listeners", .timeLimit(.deadlock))
    struct ImmediateListeners {
        enum Kind: CaseIterable {
            case serial, concurrent, keyed

            var delivery: DeliveryMode {
                switch self {
                case .serial: .serial
                case .concurrent: .concurrent(limit: 4)
                case .keyed: .keyed(limit: 4) { $0.payload.text ?? "" }
                }
            }
        }

        private let routes = [
            Route("t/{n}", "t.{n}", direction: .in),
            Route("stored/{n}", "stored.{n}", direction: .out),
            Route("quick/{n}", "quick.{n}", direction: .out, qos: .atMostOnce, durability: .memory),
        ]

        /// A broker that discards nothing for a client that is slow.
        private func startBroker() throws -> MosquittoBroker {
            try MosquittoBroker.start(configuration: "allow_anonymous true\nmax_queued_messages 0")
        }

        /// A durable listener that emits what it hears to both routes out, and whose calls wait at a gate.
        private func join(_ bus: EventBus, _ kind: Kind, _ calls: Locked<[String]>, _ gate: Gate) throws {
            try bus.on("t.*", durable: "work", delivery: kind.delivery, .capacity(16), .immediate()) { event in
                let text = event.payload.text ?? ""
                calls.withLock { $0.append(text) }
                try await gate.passUnlessCancelled()
                // Now and then one goes on on another thread than it began on.
                if calls.withLock({ $0.count }) % 100 == 0 { await Task.yield() }
                bus.emit("stored.a", event.payload)
                bus.emit("quick.a", event.payload)
            }
        }

        @Test(
            "what they emit from within their calls goes out once, live and read from the store",
            arguments: Kind.allCases
        )
        func forward(kind: Kind) async throws {
            let broker = try startBroker()
            let store = MemoryStore()
            let station = try Station([try .quick(broker.url)], routes: routes, store: store, hears: false)
            let (calls, gate) = (Locked<[String]>([]), Gate())
            try join(station.bus, kind, calls, gate)
            let numbers = (0..<3_000).map(String.init)
            let sorted = numbers.sorted()
            try await withPlainClient(broker.url, ["stored/#", "quick/#"]) { plain in
                try await withRunning(station) {
                    // More than fit into the mailbox: the rest is read from the store.
                    for number in numbers.prefix(1_000) { try await plain.publish("t/a", number) }
                    try await until(within: .seconds(20)) { try store.count(.inbound) == 1_000 }
                    #expect(calls.withLock { $0.count } <= 16)
                    gate.open()
                    for number in numbers.dropFirst(1_000) { try await plain.publish("t/a", number) }
                    try await plain.hears(6_000, within: .seconds(30))
                    try await until(within: .seconds(30)) {
                        try store.count(.inbound) == 0 && store.count(.outbound) == 0
                    }
                    try await settled { plain.count }
                }
                for topic in ["stored/a", "quick/a"] {
                    let texts = plain.messages.filter { $0.topic == topic }
                        .map { String(decoding: $0.payload, as: UTF8.self) }
                    #expect(texts.sorted() == sorted, "\(topic)")
                    if kind == .serial { #expect(texts == numbers, "\(topic)") }
                }
            }
            #expect(calls.withLock { $0 }.sorted() == sorted)
            #expect(station.droppedNothing)
        }

        @Test("a bridge whose listeners emit all the time ends when it is told to, and nothing that came in is lost")
        func shutdown() async throws {
            let broker = try startBroker()
            let store = MemoryStore()
            let (calls, accepted, open) = (Locked<[String]>([]), Locked<Set<String>>([]), Gate())
            open.open()
            try await withPlainClient(broker.url, ["stored/#"]) { plain in
                // Three processes one after the other, the first two of which end under load.
                for round in 0..<3 {
                    let station = try Station([try .quick(broker.url)], routes: routes, store: store, hears: false)
                    try join(station.bus, .concurrent, calls, open)
                    let publisher = try await withRunning(station) {
                        let heard = calls.withLock { $0.count }
                        let publisher = Task {
                            for number in 0..<1_000 {
                                try await plain.publish("t/a", "\(round) \(number)")
                                accepted.withLock { _ = $0.insert("\(round) \(number)") }
                            }
                        }
                        try await until(within: .seconds(20)) { calls.withLock { $0.count } > heard + 200 }
                        if round == 2 {
                            try await withTimeLimit(.seconds(30)) { try await publisher.value }
                            try await until(within: .seconds(20)) {
                                accepted.withLock { $0 }.isSubset(of: plain.texts)
                            }
                        }
                        return publisher
                    }
                    try await withTimeLimit(.seconds(30)) { try await publisher.value }
                }
            }
            #expect(accepted.withLock { $0.count } == 3_000)
            #expect(Set(calls.withLock { $0 }) == accepted.withLock { $0 })
        }

        @Test("a listener for the reports of a bridge that emits, also what is dropped again, blocks nothing")
        func reports() async throws {
            let broker = try startBroker()
            let answers = Locked<[String]>([])
            let kinds = ["dropped", "loop", "deadletter"]
            var options = BridgeOptions()
            options.maximumPayload = 48
            let away = try Broker.quick("mqtt://127.0.0.1:1", name: "away") { $0.limits.queueCapacity = 5 }
            let routes = routes + [Route("away/{n}", "away.{n}", direction: .out, broker: "away", durability: .memory)]
            let store = MemoryStore()
            let station = try Station([try .quick(broker.url), away], routes: routes, options: options, store: store)
            let bus = station.bus
            bus.on("$bridge.**", delivery: .concurrent(limit: 4), .immediate()) { event in
                answers.withLock { $0.append(event.name.text) }
                // Of these some find a full queue, and are counted while this runs.
                for name: EventName in ["away.a", "stored.a", "quick.a"] { bus.emit(name, "note") }
            }
            try bus.on("t.*", durable: "work", .immediate()) { event in
                bus.emit("away.a", event.payload)
                bus.emit("stored.a", event.payload)
            }
            try await withPlainClient(broker.url, ["stored/#"]) { plain in
                try await withRunning(station, ready: false) {
                    try await station.tells("subscribed")
                    for number in 0..<500 {
                        // The same identity twice is a loop, and each third is too large.
                        let user: [MessageProperties.UserProperty] = [
                            .init(PropertyName.id, "elsewhere/\(number / 2)")
                        ]
                        let large = "larger than may be, with all that counts"
                        let text = number % 3 == 0 ? large : "\(number / 2)"
                        try await plain.publish("t/a", text, user: user)
                    }
                    for kind in kinds { try await station.tells(kind) }
                    try await until(within: .seconds(30)) {
                        try store.count(.inbound) == 0 && store.count(.outbound) == 0
                    }
                    // What it emitted for each report went out, and what the other listener emitted.
                    try await until { plain.texts.count { $0 == "note" } == answers.withLock { $0.count } }
                    #expect(Set(plain.texts).count > 100)
                }
            }
            #expect(Set(kinds.map { "$bridge.\($0)" }).isSubset(of: answers.withLock { $0 }))
        }
    }
}
