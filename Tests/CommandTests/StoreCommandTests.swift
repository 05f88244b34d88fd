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
            batch.deadLetters = [sample.letter()]
            batch.seen = [SeenIdentity(source: "s", tag: "1", event: "a.b", digest: 1, time: sample.now)]
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

    @Test("a process that looks at its own store again and again keeps its locks: others do not take it for closed")
    func looksOfOwner() async throws {
        let owner = try sample.open()
        defer { owner.close() }
        var batch = StoreBatch()
        batch.arrivals = [sample.inbound(1, route: "climate")]
        try owner.commit(batch)
        #expect(throws: StoreError.self) { try sample.open() }
        #expect(throws: StoreError.self) { try SQLiteStore.openForMaintenance(path: sample.path) }
        #expect(SQLiteStore.obstacle(at: sample.path) == nil)
        try SQLiteStore.openForOperator(path: sample.path).close()
        #expect(try owner.check() == [])
        // The last one that closes a database removes its log.
        #expect(try await Command.run("store", "status", "--store", sample.path).status == .exited(0))
        #expect(FileManager.default.fileExists(atPath: sample.path + "-wal"))
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

    @Test("check of a configuration tells a store that cannot be used, run refuses it, and neither changes anything")
    func noStore() async throws {
        let (other, text) = (sample.folder.file("other"), try sample.folder.write("a letter\n", to: "letter.txt"))
        try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: false)
        for path in [other, text] { #expect(chmod(path, 0o755) == 0) }
        for (path, code, word) in [(other, 77, "is a folder"), (text, 65, "not a store")] {
            let config = try sample.folder.write(
                """
                brokers: {m: {url: mqtt://127.0.0.1:1}}
                routes: [{topic: a, event: a}]
                store: {on_corrupt: move-aside}

                """,
                to: "bridge.yaml"
            )
            let run = try await Command.run("run", "--config", config, "--store", path)
            #expect(run.status == .exited(Int32(code)) && run.stderr.contains(word), "\(run.stderr)")
            let status = try await Command.run("store", "status", "--store", path)
            #expect(status.status == .exited(Int32(code)) && status.stderr.contains(word))
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o755)
        }
        let config = try sample.folder.write(
            """
            brokers: {m: {url: mqtt://h}}
            routes: [{topic: a, event: a}]
            store: {path: letter.txt}

            """,
            to: "letter.yaml"
        )
        let check = try await Command.run("check", config)
        #expect(
            check.status == .exited(0) && check.stderr.contains("note: the store cannot be used"),
            "\(check.stderr)"
        )
        #expect(check.stderr.contains("letter.txt") && check.stderr.contains("not a store"))
        let names = try FileManager.default.contentsOfDirectory(atPath: sample.folder.path)
        #expect(names.sorted() == ["bridge.yaml", "letter.txt", "letter.yaml", "other"])
        #expect(try String(contentsOfFile: text, encoding: .utf8) == "a letter\n")
    }

    @Test("a backup of a daemon under load has all that was called stored before, and another daemon goes on from it")
    func backup() async throws {
        let broker = try MosquittoBroker.start()
        let config = try sample.folder.write(configuration(broker.url, more: "    drain_rate: 0"), to: "bridge.yaml")
        let arguments = ["--config", config, "--stdin", "--receipts", "--broker", "mqtt://127.0.0.1:1"]
        let daemon = try ChildProcess(Command.path, ["run", "--store", sample.path] + arguments)
        let isOver = Locked(false)
        async let feeding: Void = onThread {
            var number = 0
            while !isOver.withLock({ $0 }) {
                number += 1
                try daemon.write(line: #"{"event": "light.hall\#(number).set", "payload": "on"}"#)
            }
        }
        func stored() -> Int { daemon.lines(of: .output).count { $0.contains(#""stored":true"#) } }
        #expect(try await eventually(within: .seconds(20)) { stored() >= 300 })
        let before = stored()
        let file = sample.folder.file("copy.sqlite")
        let backup = try await Command.run("store", "backup", file, "--store", sample.path)
        #expect(backup.status == .exited(0) && backup.stdout.hasPrefix("\(file): "), "\(backup.stderr)")
        let after = stored()
        #expect(try await eventually(within: .seconds(20)) { stored() > after })
        isOver.withLock { $0 = true }
        _ = try await feeding
        daemon.kill()
        _ = try await daemon.wait()

        #expect(try mode(file) == 0o600)
        #expect(try await Command.run("store", "check", "--store", file).status == .exited(0))
        let status = try await Command.run("store", "status", "--store", file, "--format", "json")
        #expect(try Status(status.stdout).messages >= before)
        let next = try await Command.daemon("--config", config, "--store", file)
        #expect(
            try await eventually(within: .seconds(30)) {
                let store = try SQLiteStore.openForOperator(path: file)
                defer { store.close() }
                return try store.status().messages == 0
            }
        )
        next.signal(SIGTERM)
        #expect(try await next.wait(within: .seconds(10)) == .exited(0))
    }

    @Test("a backup refuses a file that exists, and says in JSON what it wrote")
    func backupFile() async throws {
        struct Written: Decodable {
            let path: String
            let backup: String
            let size: Int
        }
        let file = sample.folder.file("copy.sqlite")
        #expect(try await Command.run("store", "backup", file, "--store", sample.path).status == .exited(66))
        try fill()
        let first = try await Command.run("store", "backup", file, "--store", sample.path, "--format", "json")
        let written = try JSONDecoder().decode(Written.self, from: Data(first.stdout.utf8))
        #expect(written.path == sample.path && written.backup == file && written.size == SQLiteStore.size(of: file))
        let second = try await Command.run("store", "backup", file, "--store", sample.path)
        #expect(second.status == .exited(64) && second.stderr.contains("exists already"), "\(second.stderr)")
        let elsewhere = sample.folder.file("nowhere/copy.sqlite")
        #expect(try await Command.run("store", "backup", elsewhere, "--store", sample.path).status == .exited(74))
    }

    private func mode(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return try #require(attributes[.posixPermissions] as? NSNumber).intValue
    }

    @Test("compact says how many bytes there were and are, and refuses while a process uses the store")
    func compact() async throws {
        struct Sizes: Decodable {
            let path: String
            let before: Int
            let after: Int
        }
        #expect(try await Command.run("store", "compact", "--store", sample.path).status == .exited(66))
        try sample.fill { batch in
            batch.arrivals = (1...2_000).map {
                sample.inbound($0, route: "climate", payload: String(repeating: "x", count: 500))
            }
        }
        try sample.fill { $0.finished = Array(3...2_000) }
        let json = try await Command.run("store", "compact", "--store", sample.path, "--format", "json")
        #expect(json.status == .exited(0), "\(json.stderr)")
        let sizes = try JSONDecoder().decode(Sizes.self, from: Data(json.stdout.utf8))
        #expect(sizes.path == sample.path && sizes.before > 1_000_000 && sizes.after < 200_000, "\(json.stdout)")
        let text = try await Command.run("store", "compact", "--store", sample.path)
        #expect(try #/.*: [0-9.]+ KiB before, [0-9.]+ KiB now\n/#.wholeMatch(in: text.stdout) != nil, "\(text.stdout)")
        let owner = try sample.open()
        let refused = try await Command.run("store", "compact", "--store", sample.path)
        #expect(refused.status == .exited(73))
        #expect(
            refused.stderr.contains("process \(getpid()) uses it") && refused.stderr.contains("Stop the bridge first")
        )
        #expect(try owner.status().messages == 2)
        owner.close()
        #expect(try await Command.run("store", "check", "--store", sample.path).status == .exited(0))
    }

    @Test("the daemon logs how it checked the store, and checks everything where the configuration says so")
    func startCheck() async throws {
        try fill()
        for (more, check) in [("", "quick"), ("check_at_start: full", "full")] {
            let config = try sample.folder.write(
                """
                brokers: {m: {url: mqtt://127.0.0.1:1}}
                routes: [{topic: a, event: a}]
                store: {path: store.sqlite, \(more)}

                """,
                to: "bridge.yaml"
            )
            let daemon = try ChildProcess(Command.path, ["run", "--config", config])
            let line = try await daemon.waitForLine(containing: "the store was checked", in: .errors)
            #expect(line.contains("info") && line.contains("check=\(check)"), "\(line)")
            #expect(line.contains("duration=") && line.contains("bytes-read="), "\(line)")
            daemon.kill()
            _ = try await daemon.wait()
        }
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
