import MessageStore
import StoreTesting
import Testing

@Suite("Message store contract: evictions")
struct EvictionContractTests {
    private func sequences(_ removals: [StoreRemoval]) -> [Int64] { removals.map(\.sequence) }

    @Test(
        "the oldest messages go first, of one route or of all, until messages and bytes are enough",
        arguments: StoreKind.allCases
    )
    func oldest(_ kind: StoreKind) throws {
        try kind.withStore { store in
            func evict(_ route: String?, _ messages: Int, _ bytes: Int) throws -> [Int64] {
                let eviction = StoreEviction.oldest(.inbound, route: route, messages: messages, bytes: bytes)
                return sequences(try store.commit(.with { $0.evictions = [eviction] }))
            }
            let routes = ["a", "b", "b", "a", "b", "a", "a", "b"]
            try store.commit(
                .with { batch in
                    batch.arrivals = routes.enumerated().map { .sample(Int64($0.offset + 2), route: $0.element) }
                    batch.departures = [.sample(1, route: "a")]
                }
            )
            #expect(try evict("a", 0, 0) == [])
            #expect(try evict("nobody", 5, 5) == [])
            #expect(try evict("a", 1, 0) == [2])
            #expect(try evict("a", 0, InboundRecord.sample(5, route: "a").size + 1) == [5, 7])
            #expect(try evict(nil, 2, 0) == [3, 4])
            // A message that comes with a lower sequence than those that went is found again.
            try store.commit(.with { $0.arrivals = [.sample(1, route: "a")] })
            #expect(try evict("a", 1, 0) == [1])
            #expect(try evict("a", 9, 0) == [8])
            #expect(try evict(nil, 9, 0) == [6, 9])
            #expect(try store.outbound(to: "main", after: 0, limit: 9, bytes: .max).map(\.sequence) == [1])
        }
    }

    @Test("a removal tells what was removed and why", arguments: StoreKind.allCases)
    func removals(_ kind: StoreKind) throws {
        try kind.withStore { store in
            let removals = try store.commit(
                .with { batch in
                    batch.arrivals = [.sample(4, expires: 10)]
                    batch.departures = [.sample(2, broker: "cloud")]
                    batch.evictions = [
                        .expired(before: 11), .oldest(.outbound, route: "lamps", messages: 1, bytes: 0),
                    ]
                }
            )
            let expected = [
                StoreRemoval(
                    direction: .inbound,
                    sequence: 4,
                    route: "climate",
                    broker: "main",
                    topic: "home/4/temperature",
                    size: InboundRecord.sample(4).size,
                    reason: .expired
                ),
                StoreRemoval(
                    direction: .outbound,
                    sequence: 2,
                    route: "lamps",
                    broker: "cloud",
                    topic: "lamp/2",
                    size: OutboundRecord.sample(2).size,
                    reason: .full
                ),
            ]
            #expect(removals == expected)
        }
    }

    @Test("a message goes when its time is over, not before", arguments: StoreKind.allCases)
    func expired(_ kind: StoreKind) throws {
        try kind.withStore { store in
            try store.commit(
                .with { batch in
                    batch.arrivals = [.sample(1), .sample(2, expires: 20), .sample(3, expires: 9)]
                    batch.departures = [.sample(4, expires: 10), .sample(5)]
                }
            )
            func evict(_ time: Int64) throws -> [Int64] {
                sequences(try store.commit(.with { $0.evictions = [.expired(before: time)] }))
            }
            #expect(try evict(9) == [])
            #expect(try evict(10) == [3])
            #expect(try evict(21) == [2, 4])
            #expect(try evict(.max) == [])
        }
    }

    @Test("identities go when they are old or too many, oldest first", arguments: StoreKind.allCases)
    func seen(_ kind: StoreKind) throws {
        try kind.withStore { store in
            func evict(_ time: Int64, _ keep: Int) throws -> [Int64] {
                try store.commit(.with { $0.evictions = [.seen(before: time, keep: keep)] })
                #expect(try store.status().seen == store.recover().seen.count)
                return try store.recover().seen.map(\.time)
            }
            #expect(try evict(5, 5) == [])
            try store.commit(.with { $0.seen = (1...6).map { .sample($0) } })
            #expect(try evict(0, 10) == [1, 2, 3, 4, 5, 6])
            #expect(try evict(3, 10) == [3, 4, 5, 6])
            #expect(try evict(3, 2) == [5, 6])
            #expect(try evict(7, 2) == [])
            try store.commit(.with { $0.seen = [.sample(8)] })
            #expect(try evict(0, 0) == [])
        }
    }

    @Test("dead letters beyond a number or a size go, oldest first, and are named", arguments: StoreKind.allCases)
    func letters(_ kind: StoreKind) throws {
        try kind.withStore { store in
            func evict(_ keep: Int, _ bytes: Int = .max) throws -> [Int64] {
                let before = try store.deadLetters(.all, limit: 99)
                let removals = try store.commit(.with { $0.evictions = [.deadLetters(keep: keep, bytes: bytes)] })
                let after = try store.deadLetters(.all, limit: 99)
                let gone = before.dropLast(after.count)
                #expect(removals.map(\.sequence) == gone.map(\.number) && removals.map(\.size) == gone.map(\.size))
                #expect(removals.allSatisfy { $0.reason == .letter && !$0.topic.isEmpty })
                return after.map(\.number)
            }
            let large = [UInt8](repeating: 1, count: 10_000)
            try store.commit(.with { $0.deadLetters = (1...5).map { .sample($0) } })
            #expect(try evict(5) == [1, 2, 3, 4, 5])
            #expect(try evict(4) == [2, 3, 4, 5])
            try store.commit(.with { $0.deadLetters = [.sample(6, payload: large), .sample(7, payload: large)] })
            #expect(try evict(99, 30_000) == [2, 3, 4, 5, 6, 7])
            #expect(try evict(99, 15_000) == [7])
            try store.commit(.with { $0.replayed = [7] })
            try store.commit(.with { $0.deadLetters = [.sample(8)] })
            #expect(try evict(99, 15_000) == [8])
            #expect(try evict(0) == [])
        }
    }
}
