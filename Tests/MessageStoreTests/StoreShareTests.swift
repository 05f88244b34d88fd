import Foundation
import MessageStore
import SQLiteStore
import StoreTesting
import TestSupport
import Testing

@Suite("Shares of a store")
struct StoreShareTests {
    private let folder = try! TemporaryDirectory()
    private let store: SQLiteStore

    init() throws {
        store = try SQLiteStore.open(.init(path: folder.file("store.db"), synchronous: .normal))
    }

    private func shares() throws -> [StoreShare.Owner: Int] {
        Dictionary(uniqueKeysWithValues: try store.shares().map { ($0.owner, $0.messages) })
    }

    private func inbound() throws -> [Int64] {
        try store.inbound(after: 0, limit: .max, bytes: .max).map(\.record.sequence)
    }

    private func outbound(_ broker: String) throws -> [Int64] {
        try store.outbound(to: broker, after: 0, limit: .max, bytes: .max).map(\.sequence)
    }

    private func finish(_ sequence: Int64, _ listener: String) throws {
        let done = ListenerProgress(isFinished: true, attempts: 0)
        try store.commit(.with { $0.progress = [.init(sequence: sequence, listener: listener, progress: done)] })
    }

    private func fill() throws {
        try store.commit(
            .with { batch in
                batch.arrivals = [
                    .sample(1), .sample(2, route: "old", listeners: ["gone"]), .sample(3, listeners: ["gone", "log"]),
                    .sample(4, route: "old", listeners: ["log"]), .sample(5, listeners: ["e\u{301}"]),
                ]
                batch.departures = [
                    .sample(6), .sample(7, broker: "cloud"), .sample(8, route: "old", broker: "cloud"),
                    .sample(9, route: "old"),
                ]
                batch.deadLetters = [.sample(1, route: "old")]
            }
        )
    }

    @Test("a message counts for its broker, its route and each listener that it waits for")
    func counts() throws {
        defer { store.close() }
        try fill()
        try finish(3, "log")
        try store.commit(
            .with {
                $0.progress = [.init(sequence: 1, listener: "log", progress: .init(isFinished: false, attempts: 2))]
            }
        )
        #expect(
            try shares() == [
                .broker("main"): 7, .broker("cloud"): 2, .route("climate"): 3, .route("old"): 4, .route("lamps"): 2,
                .listener("log"): 2, .listener("alarm"): 1, .listener("gone"): 2, .listener("e\u{301}"): 1,
            ]
        )
        let cloud = try store.shares().first { $0.owner == .broker("cloud") }
        #expect(cloud?.bytes == OutboundRecord.sample(7).size + OutboundRecord.sample(8).size)
        let log = try store.shares().first { $0.owner == .listener("log") }
        #expect(log?.bytes == InboundRecord.sample(1).size + InboundRecord.sample(4).size)
    }

    @Test("dropping a broker or a route takes its messages of both directions, and no others")
    func brokerAndRoute() throws {
        defer { store.close() }
        try fill()
        #expect(try store.drop(.broker("cloud")) == 2)
        #expect(try outbound("cloud") == [] && outbound("main") == [6, 9] && inbound() == [1, 2, 3, 4, 5])
        #expect(try store.drop(.route("old")) == 3)
        #expect(try outbound("main") == [6] && inbound() == [1, 3, 5])
        #expect(try store.drop(.broker("main")) == 4 && store.status().messages == 0)
        #expect(try store.drop(.broker("main")) == 0 && store.drop(.route("nobody")) == 0)
        #expect(try store.deadLetters(.all, limit: 9).count == 1 && store.check() == [])
    }

    @Test("dropping a listener removes what waits for nobody else, and leaves the rest to the others")
    func listener() throws {
        defer { store.close() }
        try fill()
        try finish(1, "log")
        #expect(try store.drop(.listener("gone")) == 2)
        #expect(try inbound() == [1, 3, 4, 5] && shares()[.listener("gone")] == nil)
        #expect(try store.inbound(after: 1, limit: 1, bytes: .max).first?.progress["gone"]?.isFinished == true)
        // The one that only the other listener waits for is not counted.
        #expect(try store.drop(.listener("log")) == 2 && inbound() == [1, 5])
        #expect(try store.drop(.listener("alarm")) == 1 && inbound() == [5])
        #expect(try store.drop(.listener("\u{E9}")) == 0 && store.drop(.listener("e\u{301}")) == 1)
        #expect(try inbound() == [] && outbound("main").count == 2 && store.check() == [])
    }

    @Test("many are dropped in slices, so that the log does not hold all of them")
    func slices() throws {
        let payload = [UInt8](repeating: 1, count: 3_000)
        for first in stride(from: 1, to: 10_000, by: 1_000) {
            try store.commit(
                .with { batch in
                    batch.arrivals = (Int64(first)..<Int64(first) + 1_000).map {
                        .sample($0, route: $0 % 2 == 0 ? "even" : "odd", payload: payload)
                    }
                }
            )
        }
        #expect(try store.drop(.route("even")) == 5_000)
        #expect(try inbound() == stride(from: 1, to: 10_001, by: 2).map { Int64($0) })
        #expect(try store.drop(.listener("log")) == 5_000 && store.drop(.listener("alarm")) == 5_000)
        #expect(try inbound() == [])
        // All of them are 40 MB.
        #expect(try Data(contentsOf: URL(filePath: store.path + "-wal")).count < 12_000_000)
        store.close()
        let again = try SQLiteStore.open(.init(path: store.path, checkAtStart: .full))
        #expect(try again.recover().listeners == [])
        again.close()
    }

    @Test("only the owner drops")
    func beside() throws {
        defer { store.close() }
        try fill()
        let beside = try SQLiteStore.openForOperator(path: store.path)
        defer { beside.close() }
        #expect(try Set(beside.shares()) == Set(store.shares()))
        let error = #expect(throws: StoreError.self) { try beside.drop(.broker("main")) }
        #expect(error?.code == .notPermitted)
    }
}
