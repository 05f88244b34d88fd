import MessageStore
import StoreTesting
import TestSupport
import Testing

@Suite("Failing stores")
struct FaultyStoreTests {
    /// Steps of a fixed life of a store; each is one call.
    private static let steps: [@Sendable (any MessageStore) throws -> Void] = [
        { _ = try $0.recover() },
        { _ = try $0.text(named: "origin", initial: "here") },
        {
            try $0.commit(
                .with {
                    $0.arrivals = (1...5).map { .sample($0) }; $0.seen = [.sample(1)]
                }
            )
        },
        { try $0.commit(.with { $0.departures = [.sample(6), .sample(7)] }) },
        { _ = try $0.inbound(after: 0, limit: 9, bytes: .max) },
        { _ = try $0.outbound(to: "main", after: 0, limit: 9, bytes: .max) },
        { _ = try $0.outboundTopics(to: "main", limit: 9) },
        {
            try $0.commit(
                .with {
                    $0.finished = [1, 2]; $0.published = [6]; $0.deadLetters = [.sample(1), .sample(2)]
                }
            )
        },
        { _ = try $0.deadLetters(.all, limit: 9) },
        { _ = try $0.requestReplay(of: .init(numbers: [2])) },
        {
            try $0.commit(
                .with {
                    $0.replayed = [2]; $0.evictions = [.oldest(.inbound, route: nil, messages: 1, bytes: 0)]
                }
            )
        },
        { _ = try $0.dropDeadLetters(.all) },
        { _ = try $0.status() },
    ]

    @Test("whichever call fails changes nothing, and the same call succeeds afterwards", arguments: StoreKind.allCases)
    func nthCall(_ kind: StoreKind) throws {
        let whole = try kind.withStore { store in
            for step in Self.steps { try step(store) }
            return try StoreContents(of: store)
        }
        var failures = 0
        var hasPassed = false
        for n in 1...(Self.steps.count + 1) {
            try kind.withStore { store in
                let faulty = FaultyStore(store, failing: n, with: StoreError(.full, operation: "test"))
                for step in Self.steps {
                    let before = try StoreContents(of: store)
                    do throws(any Error) {
                        try step(faulty)
                    } catch let error as StoreError {
                        #expect(error.code == .full && error.isRetriable)
                        #expect(try StoreContents(of: store) == before)
                        failures += 1
                        try step(faulty)
                    }
                }
                hasPassed = !faulty.hasFailed
                #expect(try StoreContents(of: store) == whole)
            }
        }
        #expect(failures == Self.steps.count)
        #expect(hasPassed)
    }
}
