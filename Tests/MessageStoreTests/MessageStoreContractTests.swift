import MessageStore
import SQLiteStore
import StoreTesting
import Testing

@Suite("Message store contract")
struct MessageStoreContractTests {
    @Test(
        "an inbound message is read as it was committed, in the order of the sequences",
        arguments: StoreKind.allCases
    )
    func inbound(_ kind: StoreKind) throws {
        try kind.withStore { store in
            let odd = InboundRecord.sample(3, route: "", payload: [], expires: .min, listeners: ["a,b", "", "\u{0}"])
            try store.commit(.with { $0.arrivals = [.sample(2), odd] })
            try store.commit(.with { $0.arrivals = [.sample(1, payload: [UInt8](repeating: 0, count: 100_000))] })
            let entries = try store.inbound(after: 0, limit: 10, bytes: .max)
            let first = InboundRecord.sample(1, payload: [UInt8](repeating: 0, count: 100_000))
            #expect(entries.map(\.record) == [first, .sample(2), odd])
            #expect(entries.allSatisfy { $0.recoveries == 0 && $0.progress.isEmpty })
            #expect(try store.inbound(after: 2, limit: 10, bytes: .max).map(\.record) == [odd])
        }
    }

    @Test("an outbound message is read as it was committed, for its broker only", arguments: StoreKind.allCases)
    func outbound(_ kind: StoreKind) throws {
        try kind.withStore { store in
            let other = OutboundRecord.sample(2, broker: "cloud", payload: [], expires: .max)
            try store.commit(.with { $0.departures = [.sample(3), other, .sample(1)] })
            #expect(try store.outbound(to: "main", after: 0, limit: 9, bytes: .max) == [.sample(1), .sample(3)])
            #expect(try store.outbound(to: "main", after: 1, limit: 9, bytes: .max) == [.sample(3)])
            #expect(try store.outbound(to: "cloud", after: 0, limit: 9, bytes: .max) == [other])
            #expect(try store.outbound(to: "nobody", after: 0, limit: 9, bytes: .max).isEmpty)
        }
    }

    @Test(
        "a sequence that is there already is refused, and nothing of the batch happens",
        arguments: StoreKind.allCases
    )
    func again(_ kind: StoreKind) throws {
        try kind.withStore { store in
            let progress = ListenerProgress(isFinished: true, attempts: 0)
            try store.commit(
                .with { batch in
                    batch.arrivals = [.sample(1)]
                    batch.departures = [.sample(2, broker: "cloud")]
                    batch.progress = [.init(sequence: 1, listener: "log", progress: progress)]
                }
            )
            let refused: [StoreBatch] = [
                .with { $0.arrivals = [.sample(3), .sample(1, route: "b")] },
                .with { $0.arrivals = [.sample(3), .sample(3)] },
                .with {
                    $0.arrivals = [.sample(3)]; $0.departures = [.sample(2)]
                },
            ]
            for batch in refused { #expect(throws: StoreError.self) { try store.commit(batch) } }
            let expected = InboundEntry(record: .sample(1), progress: ["log": progress])
            #expect(try store.inbound(after: 0, limit: 9, bytes: .max) == [expected])
            #expect(try store.outbound(to: "cloud", after: 0, limit: 9, bytes: .max) == [.sample(2, broker: "cloud")])
            #expect(try store.outbound(to: "main", after: 0, limit: 9, bytes: .max).isEmpty)
            try store.commit(.with { $0.arrivals = [.sample(3)] })
            #expect(try store.status().messages == 3)
        }
    }

    @Test("one answer holds so many messages and bytes, but at least one", arguments: StoreKind.allCases)
    func bounds(_ kind: StoreKind) throws {
        try kind.withStore { store in
            let payload = [UInt8](repeating: 7, count: 10)
            try store.commit(
                .with { batch in
                    batch.arrivals = (1...5).map { .sample($0, payload: payload) }
                    batch.departures = (6...9).map { .sample($0, payload: payload) }
                }
            )
            func inbound(_ limit: Int, _ bytes: Int) throws -> [Int64] {
                try store.inbound(after: 1, limit: limit, bytes: bytes).map(\.record.sequence)
            }
            #expect(try inbound(0, .max) == [])
            #expect(try inbound(2, .max) == [2, 3])
            #expect(try inbound(9, 0) == [2])
            #expect(try inbound(9, 29) == [2, 3])
            #expect(try inbound(9, 30) == [2, 3, 4])
            #expect(try store.outbound(to: "main", after: 0, limit: 3, bytes: 25).map(\.sequence) == [6, 7])
        }
    }

    @Test("topics of a broker are named once each, up to a limit", arguments: StoreKind.allCases)
    func topics(_ kind: StoreKind) throws {
        try kind.withStore { store in
            let names = ["a", "b", "a", "é", "e\u{301}"]
            try store.commit(
                .with { batch in
                    batch.departures = names.enumerated().map { .sample(Int64($0.offset + 1), topic: $0.element) }
                    batch.departures.append(.sample(9, broker: "cloud", topic: "c"))
                }
            )
            let topics = try store.outboundTopics(to: "main", limit: 9).map { Array($0.utf8) }
            #expect(Set(topics) == Set(names.map { Array($0.utf8) }))
            #expect(topics.count == 4)
            #expect(try store.outboundTopics(to: "main", limit: 3).count == 3)
            #expect(try store.outboundTopics(to: "nobody", limit: 3).isEmpty)
        }
    }

    @Test("topics are those of now, before and after a recovery and a change", arguments: StoreKind.allCases)
    func topicsAfterRecovery(_ kind: StoreKind) throws {
        try kind.withStore { store in
            func topics(_ broker: String = "main") throws -> [String] {
                try store.outboundTopics(to: broker, limit: 9).sorted()
            }
            try store.commit(
                .with { $0.departures = [.sample(1, topic: "a"), .sample(2, topic: "b"), .sample(3, topic: "b")] }
            )
            _ = try store.recover()
            #expect(try store.outboundTopics(to: "main", limit: 1).count == 1)
            #expect(try topics() == ["a", "b"])
            _ = try store.recover()
            #expect(try topics("cloud") == [])
            #expect(try topics() == ["a", "b"])
            _ = try store.recover()
            try store.commit(
                .with { $0.departures = [.sample(4, topic: "c"), .sample(5, broker: "cloud", topic: "d")] }
            )
            #expect(try topics() == ["a", "b", "c"])
            _ = try store.recover()
            try store.commit(.with { $0.published = [1] })
            #expect(try topics() == ["b", "c"])
            _ = try store.recover()
            try store.commit(
                .with { $0.evictions = [.oldest(.outbound, route: nil, messages: 2, bytes: 0)] }
            )
            #expect(try topics() == ["c"])
            #expect(try topics("cloud") == ["d"])
        }
    }

    @Test("more topics than a start asks for are named up to its limit", arguments: StoreKind.allCases)
    func manyTopics(_ kind: StoreKind) throws {
        try kind.withStore { store in
            try store.commit(.with { $0.departures = (1...80_000).map { .sample($0, topic: "\($0)") } })
            _ = try store.recover()
            #expect(Set(try store.outboundTopics(to: "main", limit: 65_537)).count == 65_537)
            #expect(Set(try store.outboundTopics(to: "main", limit: .max)).count == 80_000)
        }
    }

    @Test(
        "what is done with is gone, together with its progress; to remove it again is no error",
        arguments: StoreKind.allCases
    )
    func removal(_ kind: StoreKind) throws {
        try kind.withStore { store in
            let done = ListenerProgress(isFinished: true, attempts: 1)
            try store.commit(
                .with { batch in
                    batch.arrivals = (1...6).map { .sample($0) }
                    batch.departures = (7...9).map { .sample($0) }
                    batch.progress = (1...6).map { .init(sequence: $0, listener: "log", progress: done) }
                }
            )
            for _ in 1...2 {
                try store.commit(
                    .with {
                        $0.finished = [5, 1, 2, 3, 3, 77, 8]; $0.published = [9, 7, 4]
                    }
                )
                #expect(try store.inbound(after: 0, limit: 9, bytes: .max).map(\.record.sequence) == [4, 6])
                #expect(try store.outbound(to: "main", after: 0, limit: 9, bytes: .max) == [.sample(8)])
            }
            try store.commit(.with { $0.arrivals = [.sample(5)] })
            let entries = try store.inbound(after: 0, limit: 9, bytes: .max)
            #expect(entries.map(\.progress) == [["log": done], [:], ["log": done]])
        }
    }

    @Test(
        "progress is kept for each listener, and ignored for messages that are not there",
        arguments: StoreKind.allCases
    )
    func progress(_ kind: StoreKind) throws {
        try kind.withStore { store in
            func note(_ sequence: Int64, _ listener: String, _ isFinished: Bool, _ attempts: Int) throws {
                let progress = ListenerProgress(isFinished: isFinished, attempts: attempts)
                try store.commit(
                    .with { $0.progress = [.init(sequence: sequence, listener: listener, progress: progress)] }
                )
            }
            try note(1, "log", true, 3)
            try store.commit(.with { $0.arrivals = [.sample(1), .sample(2)] })
            try note(1, "alarm", false, 1)
            try note(1, "alarm", false, 2)
            try note(1, "log", true, 0)
            try note(3, "log", true, 0)
            let entries = try store.inbound(after: 0, limit: 9, bytes: .max)
            let expected: [String: ListenerProgress] = [
                "alarm": .init(isFinished: false, attempts: 2), "log": .init(isFinished: true, attempts: 0),
            ]
            #expect(entries.map(\.progress) == [expected, [:]])
        }
    }

    @Test(
        "a recovery tells all that is there",
        arguments: StoreKind.allCases
    )
    func recovery(_ kind: StoreKind) throws {
        try kind.withStore { store in
            let empty = StoreInventory(lastSequence: 0, loads: [], seen: [], deadLetters: 0, listeners: [])
            #expect(try store.recover() == empty)
            try store.commit(
                .with {
                    $0.arrivals = [.sample(1)]; $0.seen = [.sample(2), .sample(1)]
                }
            )
            _ = try store.recover()
            try store.commit(
                .with {
                    $0.arrivals = [.sample(2)]; $0.departures = [.sample(7)]; $0.deadLetters = [.sample(1)]
                }
            )
            let inventory = try store.recover()
            #expect(inventory.lastSequence == 7)
            #expect(inventory.seen == [.sample(2), .sample(1)])
            #expect(inventory.deadLetters == 1)
            let size = InboundRecord.sample(1).size + InboundRecord.sample(2).size
            let loads: [StoreStatus.Load] = [
                .init(direction: .inbound, route: "climate", messages: 2, bytes: size, oldest: 1000),
                .init(
                    direction: .outbound,
                    route: "lamps",
                    messages: 1,
                    bytes: OutboundRecord.sample(7).size,
                    oldest: 7000
                ),
            ]
            #expect(inventory.loads == loads)
            #expect(try store.status().loads == loads)
        }
    }

    @Test("only ends that were not in order count as recoveries", arguments: StoreKind.allCases)
    func recoveries(_ kind: StoreKind) throws {
        try kind.withStore { store in
            func recovered(_ lives: StoreBatch.Life...) throws -> [Int] {
                for life in lives { try store.commit(.with { $0.life = life }) }
                _ = try store.recover()
                return try store.inbound(after: 0, limit: 9, bytes: .max).map(\.recoveries)
            }
            try store.commit(.with { $0.arrivals = [.sample(1)] })
            #expect(try recovered() == [0], "a start that came to nothing")
            #expect(try recovered(.began) == [1])
            #expect(try recovered() == [1])
            try store.commit(.with { $0.arrivals = [.sample(2)] })
            #expect(try recovered(.began, .ended) == [1, 0])
            #expect(try recovered(.began) == [2, 1])
            #expect(try store.recover().listeners == ["log", "alarm"])
        }
    }

    @Test("a text stays as it was first given, until it is set", arguments: StoreKind.allCases)
    func text(_ kind: StoreKind) throws {
        try kind.withStore { store in
            #expect(try store.text(named: "origin", initial: "one") == "one")
            #expect(try store.text(named: "origin", initial: "two") == "one")
            #expect(try store.text(named: "generation", initial: "") == "")
            _ = try store.recover()
            #expect(try store.text(named: "generation", initial: "x") == "")
            try store.setText("three", named: "origin")
            try store.setText("é\u{0}\n", named: "new")
            #expect(try store.text(named: "origin", initial: "one") == "three")
            #expect(try store.text(named: "new", initial: "") == "é\u{0}\n")
        }
    }
}
