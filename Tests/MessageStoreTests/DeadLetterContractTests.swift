import MessageStore
import StoreTesting
import Testing

@Suite("Message store contract: dead letters")
struct DeadLetterContractTests {
    private func numbers(_ store: any MessageStore, _ filter: DeadLetterFilter, limit: Int = 99) throws -> [Int64] {
        try store.deadLetters(filter, limit: limit).map(\.number)
    }

    @Test(
        "a letter is read as it was committed, under the next number, which is never given twice",
        arguments: StoreKind.allCases
    )
    func numbers(_ kind: StoreKind) throws {
        try kind.withStore { store in
            var requested = DeadLetter.sample(2, payload: nil)
            requested.isReplayRequested = true
            try store.commit(.with { $0.deadLetters = [.sample(1), requested, .sample(3, payload: [])] })
            var expected: [DeadLetter] = [.sample(1), requested, .sample(3, payload: [])]
            for index in expected.indices { expected[index].number = Int64(index + 1) }
            #expect(try store.deadLetters(.all, limit: 99) == expected)
            try store.commit(.with { $0.replayed = [3, 2, 77] })
            try store.commit(.with { $0.deadLetters = [.sample(4)] })
            #expect(try numbers(store, .all) == [1, 4])
        }
    }

    @Test("a filter finds the letters that meet all its conditions", arguments: StoreKind.allCases)
    func filters(_ kind: StoreKind) throws {
        try kind.withStore { store in
            try store.commit(.with { $0.deadLetters = (1...6).map { .sample($0, route: $0 > 3 ? "b" : "a") } })
            #expect(try numbers(store, .all, limit: 2) == [1, 2])
            #expect(try numbers(store, .all, limit: 0) == [])
            #expect(try numbers(store, .init(after: 4)) == [5, 6])
            #expect(try numbers(store, .init(numbers: [5, 2, 9])) == [2, 5])
            #expect(try numbers(store, .init(numbers: [])) == [])
            #expect(try numbers(store, .init(route: "a")) == [1, 2, 3])
            #expect(try numbers(store, .init(diedBefore: 300)) == [1, 2])
            #expect(try numbers(store, .init(numbers: [2, 4, 5], after: 2, route: "b", diedBefore: 500)) == [4])
            #expect(try numbers(store, .init(onlyReplayRequested: true)) == [])
            for letter in try store.deadLetters(.all, limit: 99) { #expect(DeadLetterFilter.all.matches(letter)) }
        }
    }

    @Test("a replay that is asked for is seen until it has been taken up", arguments: StoreKind.allCases)
    func replay(_ kind: StoreKind) throws {
        try kind.withStore { store in
            try store.commit(.with { $0.deadLetters = (1...4).map { .sample($0) } })
            #expect(try store.requestReplay(of: .init(numbers: [2, 3, 9])) == 2)
            #expect(try store.requestReplay(of: .init(numbers: [3])) == 1)
            let wanted = DeadLetterFilter(onlyReplayRequested: true)
            #expect(try numbers(store, wanted) == [2, 3])
            #expect(try numbers(store, .all) == [1, 2, 3, 4])
            try store.commit(.with { $0.replayed = [2] })
            #expect(try numbers(store, wanted) == [3])
        }
    }

    @Test("what has no payload cannot run again, and is not asked for", arguments: StoreKind.allCases)
    func replayWithoutPayload(_ kind: StoreKind) throws {
        try kind.withStore { store in
            var empty = DeadLetter.sample(1)
            empty.payload = nil
            try store.commit(.with { $0.deadLetters = [empty, .sample(2)] })
            #expect(try store.requestReplay(of: .all) == 1)
            #expect(try numbers(store, DeadLetterFilter(onlyReplayRequested: true)) == [2])
        }
    }

    @Test("dropped letters are gone, and counted", arguments: StoreKind.allCases)
    func drop(_ kind: StoreKind) throws {
        try kind.withStore { store in
            try store.commit(.with { $0.deadLetters = (1...4).map { .sample($0) } })
            #expect(try store.dropDeadLetters(.init(diedBefore: 250)) == 2)
            #expect(try numbers(store, .all) == [3, 4])
            #expect(try store.status().deadLetters == 2)
            #expect(try store.dropDeadLetters(.all) == 2)
            #expect(try store.dropDeadLetters(.all) == 0)
        }
    }
}
