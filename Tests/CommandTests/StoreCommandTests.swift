import Foundation
import Glibc
import MessageStore
import SQLiteStore
import TestSupport
import Testing

@Suite("mqtt-bridge store")
struct StoreCommandTests {
    private struct Status: Decodable {
        struct Route: Decodable {
            let direction: String
            let route: String
            let messages: Int
            let bytes: Int
            let oldest: String
        }

        let path: String
        let messages: Int
        let bytes: Int
        let oldest: String?
        let routes: [Route]
        let dead_letters: Int
        let identities: Int
        let size: Int
        let process: Int32?

        init(_ text: String) throws {
            self = try JSONDecoder().decode(Self.self, from: Data(text.utf8))
        }
    }

    private struct Verdict: Decodable {
        let path: String
        let sound: Bool
        let problems: [String]
    }

    private let sample: SampleStore

    init() throws { sample = try SampleStore() }

    private func fill() throws {
        try sample.fill { batch in
            batch.arrivals = [
                sample.inbound(1, route: "climate", age: 7_260), sample.inbound(2, route: "climate", payload: "22.5"),
            ]
            batch.departures = [sample.outbound(3, route: "lights\u{1B}[2J", age: 90)]
            batch.letters = [sample.letter()]
            batch.seen = [SeenIdentity(source: "s", tag: "1", event: "a.b", time: sample.now)]
        }
    }

    @Test("status counts messages, bytes and ages, by direction and route")
    func status() async throws {
        try fill()
        let outcome = try await Command.run("store", "status", "--store", sample.path, "--format", "json")
        #expect(outcome.status == .exited(0))
        let status = try Status(outcome.stdout)
        let records = (sample.inbound(1, route: "").size, sample.inbound(2, route: "", payload: "22.5").size)
        #expect(status.path == sample.path)
        #expect(status.messages == 3 && status.dead_letters == 1 && status.identities == 1)
        #expect(status.bytes == records.0 + records.1 + sample.outbound(3, route: "").size)
        #expect(status.oldest?.hasPrefix(DeadLetter.text(sample.now - 7_260 * SampleStore.second)) == true)
        #expect(status.routes.map(\.direction) == ["inbound", "outbound"])
        #expect(status.routes.map(\.route) == ["climate", "lights\u{1B}[2J"])
        #expect(status.routes.map(\.messages) == [2, 1])
        #expect(status.routes[0].bytes == records.0 + records.1)
        #expect(status.routes[1].oldest.hasPrefix(DeadLetter.text(sample.now - 90 * SampleStore.second)))
        #expect(status.size > 4_096)
        #expect(status.process == nil)
    }

    @Test("status for people has the same, and nothing that could harm a terminal")
    func statusText() async throws {
        try fill()
        let outcome = try await Command.run("store", "status", "--store", sample.path)
        #expect(outcome.status == .exited(0))
        let lines = outcome.stdout.split(separator: "\n").map { $0.split(separator: " ") }
        #expect(lines.contains(["process", "none"]))
        #expect(lines.contains(["dead", "letters", "1"]))
        #expect(lines.contains { $0.starts(with: ["messages", "3,"]) })
        #expect(lines.contains { $0.first == "oldest" && $0.suffix(3) == ["(2h", "1m", "ago)"] })
        #expect(lines.contains { $0.starts(with: ["inbound", "climate", "2"]) })
        #expect(outcome.stdout.contains("lights\\u{1b}[2J") && !outcome.stdout.contains("\u{1B}"))
    }

    @Test("an empty store has no oldest message")
    func empty() async throws {
        try sample.fill { _ in }
        let outcome = try await Command.run("store", "status", "--store", sample.path, "--format", "json")
        let status = try Status(outcome.stdout)
        #expect(status.messages == 0 && status.oldest == nil && status.routes.isEmpty)
        #expect(outcome.stdout.contains("\"oldest\":null"))
    }

    @Test("status and check work while a process uses the store, and name it")
    func besideOwner() async throws {
        let owner = try sample.open()
        var batch = StoreBatch()
        batch.arrivals = [sample.inbound(1, route: "climate")]
        try owner.commit(batch)
        let during = try await Command.run("store", "status", "--store", sample.path, "--format", "json")
        #expect(try Status(during.stdout).process == getpid())
        #expect(try Status(during.stdout).messages == 1)
        #expect(try await Command.run("store", "check", "--store", sample.path).status == .exited(0))
        owner.close()
        let after = try await Command.run("store", "status", "--store", sample.path, "--format", "json")
        #expect(try Status(after.stdout).process == nil)
    }

    @Test("a lock file that a crash has left names no process")
    func staleLock() async throws {
        try fill()
        try sample.folder.write("\(getpid())\n", to: "store.sqlite.lock")
        let outcome = try await Command.run("store", "status", "--store", sample.path, "--format", "json")
        #expect(try Status(outcome.stdout).process == nil)
    }

    @Test("check says that a sound store is sound")
    func sound() async throws {
        try fill()
        let text = try await Command.run("store", "check", "--store", sample.path)
        #expect(text.status == .exited(0) && text.stdout == "\(sample.path): sound\n")
        let json = try await Command.run("store", "check", "--store", sample.path, "--format", "json")
        #expect(json.status == .exited(0))
        let verdict = try JSONDecoder().decode(Verdict.self, from: Data(json.stdout.utf8))
        #expect(verdict.sound && verdict.problems.isEmpty && verdict.path == sample.path)
    }

    @Test("check finds damage at the beginning and in the middle, one line each, and exits with 65", arguments: [0, 2])
    func damaged(part: UInt64) async throws {
        try sample.fill { batch in
            batch.arrivals = (1...200).map {
                sample.inbound(Int64($0), route: "climate", payload: String(repeating: "x", count: 500))
            }
        }
        let file = try #require(FileHandle(forUpdatingAtPath: sample.path))
        // At the beginning it cannot even be opened; the middle holds rows.
        try file.seek(toOffset: part == 0 ? 0 : try file.seekToEnd() / part)
        try file.write(contentsOf: Data(repeating: 0xA5, count: 3_000))
        try file.close()
        let text = try await Command.run("store", "check", "--store", sample.path)
        #expect(text.status == .exited(65))
        let lines = text.stdout.split(separator: "\n")
        #expect(!lines.isEmpty && lines.allSatisfy { $0.hasPrefix("\(sample.path): ") && !$0.hasSuffix(": sound") })
        let json = try await Command.run("store", "check", "--store", sample.path, "--format", "json")
        #expect(json.status == .exited(65))
        let verdict = try JSONDecoder().decode(Verdict.self, from: Data(json.stdout.utf8))
        #expect(!verdict.sound && verdict.problems.count == lines.count)
    }

    @Test("no store is 66 with advice, one of a newer version 65, one behind a link 77")
    func failures() async throws {
        let missing = try await Command.run("store", "status", "--store", sample.path)
        #expect(missing.status == .exited(66))
        #expect(missing.stderr.contains(sample.path) && missing.stderr.contains("--store PATH"))
        #expect(!FileManager.default.fileExists(atPath: sample.path))
        #expect(try await Command.run("store", "check", "--store", sample.path).status == .exited(66))
        try fill()
        let link = sample.folder.file("link.sqlite")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: sample.path)
        #expect(try await Command.run("store", "status", "--store", link).status == .exited(77))
        // The user version of SQLite's header (file format, section 1.3).
        let file = try #require(FileHandle(forUpdatingAtPath: sample.path))
        try file.seek(toOffset: 60)
        try file.write(contentsOf: Data([0, 0, 3, 9]))
        try file.close()
        let newer = try await Command.run("store", "status", "--store", sample.path)
        #expect(newer.status == .exited(65) && newer.stderr.contains("newer"))
    }

    @Test("the store is the one of the option, else of the configuration, else of the state folder")
    func location() async throws {
        try fill()
        let config = try sample.folder.write(
            """
            brokers: {m: {url: mqtt://h}}
            routes: [{topic: a, event: a, durability: disk}]
            store: {path: store.sqlite}

            """,
            to: "bridge.yaml"
        )
        let plain = try sample.folder.write("brokers: {m: {url: mqtt://h}}\n", to: "plain.yaml")
        let folder = sample.folder.path
        let states: [([String], [String: String], String)] = [
            (["--store", sample.path, "--config", "/nowhere.yaml"], [:], sample.path),
            (["--config", config], [:], sample.path),
            (["--config", plain], ["STATE_DIRECTORY": "\(folder):/nowhere"], sample.path),
            ([], ["STATE_DIRECTORY": folder], sample.path),
            ([], ["XDG_STATE_HOME": folder], "\(folder)/mqtt-bridge/store.sqlite"),
            ([], ["XDG_STATE_HOME": "x", "HOME": folder], "\(folder)/.local/state/mqtt-bridge/store.sqlite"),
            ([], ["HOME": folder], "\(folder)/.local/state/mqtt-bridge/store.sqlite"),
        ]
        for (arguments, environment, path) in states {
            let outcome = try await onThread {
                try Shell.run(
                    Command.path,
                    ["store", "check"] + arguments,
                    environment: ["PATH": "/usr/bin:/bin"].merging(environment) { $1 }
                )
            }
            if path == sample.path {
                #expect(outcome.stdout == "\(path): sound\n", "\(arguments) \(environment) \(outcome.stderr)")
            } else {
                #expect(outcome.status == .exited(66) && outcome.stderr.contains(path), "\(environment)")
            }
        }
        #expect(try await Command.run("store", "check", "--config", "/nowhere.yaml").status == .exited(78))
    }
}
