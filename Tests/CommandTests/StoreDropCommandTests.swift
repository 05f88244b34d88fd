import Foundation
import Glibc
import MessageStore
import SQLiteStore
import TestSupport
import Testing

@Suite("mqtt-bridge store drop")
struct StoreDropCommandTests {
    private struct Status: Decodable {
        struct Share: Decodable, Hashable {
            let kind: String
            let name: String
            let messages: Int
            let bytes: Int
        }

        let messages: Int
        let not_configured: [Share]?

        init(_ text: String) throws {
            self = try JSONDecoder().decode(Self.self, from: Data(text.utf8))
        }
    }

    private let sample: SampleStore
    /// Has the broker `home` and the route `climate`.
    private let config: String

    init() throws {
        sample = try SampleStore()
        config = try sample.folder.write(
            """
            brokers: {home: {url: mqtt://127.0.0.1:1}}
            routes: [{name: climate, topic: a, event: a}]
            store: {path: store.sqlite}

            """,
            to: "bridge.yaml"
        )
        try sample.fill { batch in
            var printed = sample.inbound(1, route: "climate")
            printed.listeners = ["standard output"]
            var both = sample.inbound(2, route: "old\u{1B}[2J")
            both.listeners = ["standard output", "recorder"]
            var far = sample.outbound(3, route: "climate")
            far.broker = "cloud"
            batch.arrivals = [printed, both, sample.inbound(4, route: "climate")]
            batch.departures = [far, sample.outbound(5, route: "climate")]
            batch.deadLetters = [sample.letter(route: "old")]
        }
    }

    private func run(_ arguments: String...) async throws -> Shell.Outcome {
        try await onThread { [config] in try Shell.run(Command.path, ["store"] + arguments + ["--config", config]) }
    }

    @Test("status shows the brokers, routes and listeners of which there are messages and that the configuration lacks")
    func status() async throws {
        let json = try await run("status", "--format", "json")
        let (small, large) = (sample.inbound(1, route: "").size, sample.outbound(3, route: "").size)
        #expect(
            try Status(json.stdout).not_configured == [
                .init(kind: "broker", name: "cloud", messages: 1, bytes: large),
                .init(kind: "listener", name: "recorder", messages: 1, bytes: small),
                .init(kind: "listener", name: "x", messages: 1, bytes: small),
                .init(kind: "route", name: "old\u{1B}[2J", messages: 1, bytes: small),
            ]
        )
        let text = try await run("status")
        let lines = text.stdout.split(separator: "\n").map { $0.split(separator: " ") }
        #expect(lines.contains(["not", "in", "the", "configuration:"]))
        #expect(lines.contains { $0.starts(with: ["broker", "cloud", "1"]) })
        #expect(!text.stdout.contains("\u{1B}"))
        // Without a configuration there is nothing to compare with.
        let plain = try await Command.run("store", "status", "--store", sample.path, "--format", "json")
        #expect(try Status(plain.stdout).not_configured == nil)
    }

    @Test("a route list that is empty means everything, and what the configuration has is not shown")
    func everything() async throws {
        let plain = try sample.folder.write("brokers: {home: {url: mqtt://h}}\n", to: "plain.yaml")
        let store = sample.folder.file("other.sqlite")
        let other = try SQLiteStore.open(SQLiteStoreOptions(path: store))
        var batch = StoreBatch()
        batch.departures = [sample.outbound(1, route: "everything")]
        try other.commit(batch)
        other.close()
        let json = try await Command.run("store", "status", "--store", store, "--config", plain, "--format", "json")
        #expect(try Status(json.stdout).not_configured == [])
        let text = try await Command.run("store", "status", "--store", store, "--config", plain)
        #expect(text.status == .exited(0) && !text.stdout.contains("not in the configuration"))
    }

    @Test("drop removes what is named, says how many there were, and then status no longer shows them")
    func drop() async throws {
        #expect(try await run("drop", "--broker", "cloud").stdout == "1 message(s) dropped\n")
        #expect(try await run("drop", "--listener", "x", "--format", "json").stdout == "{\"dropped\":1}\n")
        // The message stays for the other listener.
        #expect(try await run("drop", "--listener", "recorder").stdout == "1 message(s) dropped\n")
        #expect(try Status(await run("status", "--format", "json").stdout).messages == 3)
        #expect(try await run("drop", "--route", "old\u{1B}[2J").stdout == "1 message(s) dropped\n")
        let left = try Status(await run("status", "--format", "json").stdout)
        #expect(left.messages == 2 && left.not_configured == [])
        #expect(try sample.letters() == [1])
        #expect(try await run("check").status == .exited(0))
    }

    @Test("no such message is 66, two names or none 64, and a process that uses the store 73 with what to do")
    func refused() async throws {
        let unknown = try await run("drop", "--route", "nobody\u{1B}")
        #expect(unknown.status == .exited(66) && unknown.stderr.contains("nobody\\u{1b}"), "\(unknown.stderr)")
        #expect(try await run("drop").status == .exited(64))
        #expect(try await run("drop", "--route", "old", "--broker", "cloud").status == .exited(64))
        let owner = try sample.open()
        defer { owner.close() }
        let refused = try await run("drop", "--broker", "cloud")
        #expect(refused.status == .exited(73))
        #expect(
            refused.stderr.contains("process \(getpid()) uses it") && refused.stderr.contains("Stop the bridge first")
        )
        #expect(try owner.status().messages == 5)
    }
}
