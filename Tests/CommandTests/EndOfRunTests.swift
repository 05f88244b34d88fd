import Foundation
import Glibc
import MessageStore
import SQLiteStore
import TestSupport
import Testing

@Suite("mqtt-bridge run: its end")
struct EndOfRunTests {
    private let broker: MosquittoBroker
    private let folder: TemporaryDirectory

    init() throws {
        broker = try MosquittoBroker.start()
        folder = try TemporaryDirectory()
    }

    private var store: String { "\(folder.path)/state/store.sqlite" }

    private func start(_ more: String...) async throws -> ChildProcess {
        try await Command.daemon(
            arguments: ["--broker", broker.url, "--store", store, "--format", "json"] + more
        )
    }

    private func waiting() throws -> Int {
        let store = try SQLiteStore.openForOperator(path: store)
        defer { store.close() }
        return try store.status().messages
    }

    @Test("SIGTERM while nobody reads the output doubles nothing and loses nothing")
    func slowReader() async throws {
        // More than a pipe holds: the daemon is in the middle of a line when it is told to end.
        let payloads = (0..<200).map { "\($0) " + String(repeating: "x", count: 1_000) }
        let (go, pid, output, log) = (folder.file("go"), folder.file("pid"), folder.file("output"), folder.file("log"))
        let daemon = "echo $$ >\(pid); exec \(Command.path) run --broker \(broker.url) --store \(store) --format json"
        let reader = "while [ ! -e \(go) ]; do sleep 0.05; done; cat >\(output)"
        let shell = try ChildProcess("sh", ["-c", "sh -c '\(daemon)' 2>\(log) | { \(reader); }"])
        #expect(try await eventually { broker.log.contains("Sending SUBACK") })
        _ = try await onThread {
            let file = folder.file("payloads")
            try Data(payloads.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: file))
            return try Shell.run("sh", ["-c", "mosquitto_pub -p \(broker.port) -t a/b -q 1 -l <\(file)"]).succeeded()
        }
        // Those that the pipe took are printed, the others wait.
        #expect(try await eventually { try waiting() < 190 && waiting() > 50 })
        let text = try String(contentsOfFile: pid, encoding: .utf8).trimmingCharacters(in: .newlines)
        kill(try #require(Int32(text)), SIGTERM)
        #expect(try await eventually { try String(contentsOfFile: log, encoding: .utf8).contains("shutting down") })
        #expect(FileManager.default.createFile(atPath: go, contents: nil))
        #expect(try await shell.wait() == .exited(0))
        let before = try events(String(contentsOfFile: output, encoding: .utf8).split(separator: "\n").map(String.init))
        #expect(try waiting() == 200 - before.count)

        let next = try await start()
        #expect(try await eventually { try waiting() == 0 })
        next.signal(SIGTERM)
        #expect(try await next.wait() == .exited(0))
        let after = try events(next.lines(of: .output))
        #expect((before + after).sorted() == payloads.sorted())
        #expect(!before.isEmpty && !after.isEmpty)
    }

    private func events(_ lines: [String]) throws -> [String] {
        try lines.compactMap { try PrintedEvent($0).payload }
    }

    @Test("at the end a stored line is answered with pending, and the next daemon publishes it")
    func pending() async throws {
        let daemon = try await start("--stdin", "--receipts")
        broker.stop()
        try await daemon.waitForLine(containing: "disconnected", in: .errors)
        try daemon.write(line: "{\"event\": \"a.b\", \"payload\": \"1\"}")
        try await daemon.waitForLine(containing: "\"stored\":true", in: .output)
        daemon.signal(SIGTERM)
        #expect(try await daemon.wait(within: .seconds(6)) == .exited(0))
        let answers = daemon.lines(of: .output).filter { $0.contains("\"receipt\"") }
        #expect(answers.count == 2)
        #expect(answers.last?.contains("\"pending\":true") == true)
        #expect(!daemon.transcript.contains("\"published\""))

        try broker.restart()
        let next = try await start()
        #expect(try await eventually { try waiting() == 0 })
        next.signal(SIGTERM)
        #expect(try await next.wait() == .exited(0))
    }

    @Test("a commit that hangs does not hold up the end for more than 5 s: it ends by force, and says so")
    func hangingCommit() async throws {
        let daemon = try await start()
        // As another process that writes and does not come to an end: byte 120 of the index of the log (SQLite, wal.c).
        let index = open("\(store)-shm", O_RDWR | O_CLOEXEC)
        try #require(index >= 0)
        defer { close(index) }
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_whence = Int16(SEEK_SET)
        (lock.l_start, lock.l_len) = (120, 1)
        #expect(try await eventually { withUnsafeMutablePointer(to: &lock) { fcntl(index, F_SETLK, $0) } == 0 })
        let began = ContinuousClock.now
        daemon.signal(SIGTERM)
        #expect(try await daemon.wait(within: .seconds(15)) == .exited(75))
        #expect(began.duration(to: .now) < .seconds(7))
        #expect(daemon.transcript.contains("ended by force"))
    }
}
