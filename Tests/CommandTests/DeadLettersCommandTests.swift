import Foundation
import Glibc
import MessageStore
import SQLiteStore
import TestSupport
import Testing

@Suite("mqtt-bridge dead-letters")
struct DeadLettersCommandTests {
    private struct Letter: Decodable {
        let number: Int64
        let direction: String
        let route: String
        let broker: String
        let topic: String
        let event: String
        let id: String
        let listener: String?
        let error: String
        let attempts: Int
        let payload_size: Int
        let time: String
        let died: String
        let replay_requested: Bool
        let payload: String?
        let payload_base64: String?
        let details: [String: Int]?

        init(_ text: some StringProtocol) throws {
            self = try JSONDecoder().decode(Self.self, from: Data(text.utf8))
        }
    }

    private let sample: SampleStore

    init() throws { sample = try SampleStore() }

    /// Letters 1 to 4: a text in, bytes out, one without a payload, one of 3 hours ago.
    private func fill() throws {
        try sample.fill { batch in
            batch.deadLetters = [
                sample.letter(details: "{\"hops\":2}"),
                sample.letter(
                    .outbound,
                    route: "lights",
                    payload: [0xFF, 0],
                    listener: "",
                    error: "refused\n\u{1B}[31m"
                ),
                sample.letter(payload: nil, listener: "", error: "larger than 1048576 bytes"),
                sample.letter(topic: "home/\u{202E}x", age: 3 * 3_600),
            ]
        }
    }

    private func run(_ arguments: String...) async throws -> Shell.Outcome {
        try await onThread { [path = sample.path] in
            try Shell.run(Command.path, ["dead-letters"] + arguments + ["--store", path])
        }
    }

    private func numbers(_ outcome: Shell.Outcome) throws -> [Int64] {
        try outcome.stdout.split(separator: "\n").map { try Letter($0).number }
    }

    @Test("list prints one object a line, with every key")
    func list() async throws {
        try fill()
        let outcome = try await run("list", "--format", "json")
        #expect(outcome.status == .exited(0))
        let letters = try outcome.stdout.split(separator: "\n").map { try Letter($0) }
        #expect(letters.map(\.number) == [1, 2, 3, 4])
        let first = try #require(letters.first)
        #expect(first.direction == "inbound" && first.route == "climate" && first.broker == "home")
        #expect(first.topic == "home/kitchen/temperature" && first.event == "climate.kitchen")
        #expect(first.id == "sensor/77" && first.listener == "recorder" && first.error == "timed out")
        #expect(first.attempts == 3 && first.payload_size == 2 && !first.replay_requested)
        #expect(first.died.hasPrefix(DeadLetter.text(sample.now - 60 * SampleStore.second)))
        #expect(first.time.hasPrefix(DeadLetter.text(sample.now - 120 * SampleStore.second)))
        #expect(first.payload == nil && !outcome.stdout.contains("\"payload\":"))
        #expect(letters[1].direction == "outbound" && letters[1].listener == nil)
        #expect(letters[2].payload_size == 5_000_000)
    }

    @Test("list for people is one line each, and nothing from the network reaches the terminal as it is")
    func listText() async throws {
        try fill()
        let outcome = try await run("list")
        let lines = outcome.stdout.split(separator: "\n")
        #expect(lines.count == 4)
        #expect(lines[0].hasPrefix("1  ") && lines[0].contains("home/kitchen/temperature -> climate.kitchen"))
        #expect(lines[0].contains("recorder: timed out (attempts: 3)"))
        #expect(lines[1].contains("climate.kitchen -> home/kitchen/temperature"))
        #expect(lines[1].contains("refused\\u{a}\\u{1b}[31m") && lines[3].contains("home/\\u{202e}x"))
        #expect(!outcome.stdout.contains("\u{1B}") && !outcome.stdout.contains("\u{202E}"))
        #expect(!outcome.stdout.contains("to run again"))
    }

    @Test("list keeps to the route, the age and the limit")
    func conditions() async throws {
        try fill()
        #expect(try numbers(await run("list", "--format", "json", "--route", "lights")) == [2])
        #expect(try numbers(await run("list", "--format", "json", "--older-than", "2h")) == [4])
        #expect(try numbers(await run("list", "--format", "json", "--older-than", "30s", "--limit", "2")) == [1, 2])
        #expect(try numbers(await run("list", "--format", "json", "--older-than", "100000d")).isEmpty)
        #expect(try await run("list", "--route", "nobody").stdout == "no dead letters\n")
    }

    @Test("list goes on after the first page")
    func pages() async throws {
        try sample.fill { batch in batch.deadLetters = (0..<50).map { _ in sample.letter() } }
        #expect(try numbers(await run("list", "--format", "json")) == Array(1...50))
        #expect(try numbers(await run("list", "--format", "json", "--limit", "33")) == Array(1...33))
    }

    @Test("show has the payload as text, as base64, or says that it was not kept")
    func show() async throws {
        try fill()
        let text = try Letter(await run("show", "1", "--format", "json").stdout)
        #expect(text.payload == "21" && text.payload_base64 == nil && text.details == ["hops": 2])
        let bytes = try Letter(await run("show", "2", "--format", "json").stdout)
        #expect(bytes.payload == nil && bytes.payload_base64 == "/wA=" && bytes.details == nil)
        let none = try await run("show", "3", "--format", "json").stdout
        #expect(none.contains("\"payload\":null"))
        #expect(try await run("show", "1").stdout.contains("payload    21\n"))
        let people = try await run("show", "2").stdout
        #expect(people.contains("payload    base64 /wA=\n") && people.contains("error      refused\\u{a}\\u{1b}[31m\n"))
        #expect(try await run("show", "3").stdout.contains("too large to be kept"))
        let unknown = try await run("show", "9")
        #expect(unknown.status == .exited(66) && unknown.stderr.contains("dead letters 9: not found"))
    }

    @Test("replay asks the store, and says who will run them")
    func replay() async throws {
        try fill()
        let idle = try await run("replay", "1", "4")
        #expect(idle.status == .exited(0))
        #expect(idle.stdout.contains("2 dead letter(s)") && idle.stdout.contains("run when the daemon starts"))
        #expect(try sample.requested() == [1, 4])
        #expect(try await run("list").stdout.contains("to run again"))
        let owner = try sample.open()
        let live = try await run("replay", "2")
        #expect(live.stdout.contains("process \(getpid()) takes them up within a second"))
        let json = try await run("replay", "2", "--format", "json")
        #expect(json.stdout == "{\"requested\":1,\"without_payload\":[],\"process\":\(getpid())}\n")
        owner.close()
        #expect(try sample.requested() == [1, 2, 4])
    }

    @Test("a live daemon runs a replay, in and out, and the letters are gone")
    func replayLive() async throws {
        let broker = try MosquittoBroker.start()
        let config = try sample.folder.write(configuration(broker.url), to: "bridge.yaml")
        try sample.fill { batch in
            var inbound = sample.letter(payload: Array("19.5".utf8), listener: "standard output")
            (inbound.broker, inbound.event) = ("main", "climate.kitchen.temperature")
            var outbound = sample.letter(.outbound, route: "lights", topic: "home/hall/light/set", listener: "")
            (outbound.broker, outbound.event) = ("main", "light.hall.set")
            batch.deadLetters = [inbound, outbound]
        }
        let subscriber = try ChildProcess(
            "stdbuf",
            ["-oL", "mosquitto_sub", "-p", String(broker.port), "-t", "#", "-F", "%t %p", "-d"]
        )
        try await subscriber.waitForLine(containing: "Subscribed")
        let daemon = try await Command.daemon("--config", config, "--store", sample.path)
        let outcome = try await run("replay", "--all")
        #expect(outcome.status == .exited(0) && outcome.stdout.contains("within a second"), "\(outcome.stderr)")
        try await daemon.waitForLine(containing: "climate.kitchen.temperature 19.5", in: .output)
        try await subscriber.waitForLine(containing: "home/hall/light/set 21")
        #expect(try sample.letters().isEmpty)
    }

    @Test("replay of all keeps to the conditions")
    func replayAll() async throws {
        try fill()
        #expect(try await run("replay", "--all", "--older-than", "2h").status == .exited(0))
        #expect(try sample.requested() == [4])
        #expect(try await run("replay", "--all", "--route", "lights", "--older-than", "1s").status == .exited(0))
        #expect(try sample.requested() == [2, 4])
        #expect(try await run("replay", "--all", "--route", "nobody").stdout == "0 dead letter(s) to run again\n")
    }

    @Test("a letter without a payload is left alone, and that is said; it is a failure if it was named")
    func withoutPayload() async throws {
        try fill()
        let named = try await run("replay", "1", "3")
        #expect(named.status == .exited(65) && named.stderr.contains("cannot run again: 3"))
        #expect(try sample.requested() == [1])
        let all = try await run("replay", "--all", "--format", "json")
        #expect(all.status == .exited(0) && all.stderr.contains("cannot run again: 3"))
        #expect(all.stdout == "{\"requested\":3,\"without_payload\":[3],\"process\":null}\n")
        #expect(try sample.requested() == [1, 2, 4])
        #expect(try sample.letters() == [1, 2, 3, 4])
    }

    @Test("how long ago a message was given up is a question to the clock of the store, not to that of the wall")
    func storeClock() async throws {
        let boot = try String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
        var sinceBoot = timespec()
        clock_gettime(CLOCK_BOOTTIME, &sinceBoot)
        // The store was first used when the clock of the machine was a day behind.
        let day: Int64 = 86_400
        let offset = sample.now - (day + Int64(sinceBoot.tv_sec)) * SampleStore.second
        let store = try sample.open()
        _ = try store.text(named: "clock of boot \(boot.filter { $0 != "\n" })", initial: String(offset))
        try store.commit(with { $0.deadLetters = [sample.letter(age: day + 60), sample.letter(age: day + 7_260)] })
        store.close()
        #expect(try numbers(await run("list", "--format", "json", "--older-than", "2h")) == [2])
        #expect(try await run("drop", "--all", "--older-than", "2h").stdout == "1 dead letter(s) dropped\n")
        #expect(try sample.letters() == [1])
    }

    private func with(_ change: (inout StoreBatch) -> Void) -> StoreBatch {
        var batch = StoreBatch()
        change(&batch)
        return batch
    }

    @Test("many are dropped and asked for in slices, between which the owner of the store commits")
    func slices() async throws {
        let owner = try sample.open()
        defer { owner.close() }
        let payload = [UInt8](repeating: 7, count: 100_000)
        for _ in 0..<10 {
            try owner.commit(with { $0.deadLetters = (0..<60).map { _ in sample.letter(payload: payload) } })
        }
        for (arguments, answer) in [
            (["replay", "--all"], "600 dead letter(s) to run"), (["drop", "--all"], "600 dead"),
        ] {
            let command = Task { [path = sample.path] in
                try await onThread {
                    try Shell.run(Command.path, ["dead-letters"] + arguments + ["--store", path])
                }
            }
            // Commits meet some of the letters gone, or asked for, and others not yet.
            var between = 0
            let isDone = Locked(false)
            let end = Task {
                defer { isDone.withLock { $0 = true } }
                return try await command.value
            }
            while !isDone.withLock({ $0 }) {
                try owner.commit(with { $0.isProbe = true })
                let filter = DeadLetterFilter(onlyReplayRequested: arguments[0] == "replay")
                let left = try owner.deadLetterIndex(filter, limit: 1_000).count
                if left > 0, left < 600 { between += 1 }
            }
            let outcome = try await end.value
            #expect(outcome.status == .exited(0) && outcome.stdout.contains(answer), "\(outcome.stderr)")
            #expect(between > 3, "\(arguments)")
        }
        #expect(try owner.deadLetters(.all, limit: 1).isEmpty)
    }

    @Test("drop removes those that are named, or all that meet the conditions")
    func drop() async throws {
        try fill()
        #expect(try await run("drop", "3", "1").stdout == "2 dead letter(s) dropped\n")
        #expect(try sample.letters() == [2, 4])
        #expect(try await run("drop", "--all", "--route", "climate", "--format", "json").stdout == "{\"dropped\":1}\n")
        #expect(try sample.letters() == [2])
        #expect(try await run("drop", "--all").status == .exited(0))
        #expect(try sample.letters().isEmpty)
    }

    @Test("a number that is not there is 66, and nothing is done", arguments: ["replay", "drop"])
    func unknown(command: String) async throws {
        try fill()
        let outcome = try await run(command, "1", "8", "9")
        #expect(outcome.status == .exited(66))
        #expect(outcome.stderr.contains("dead letters 8, 9: not found") && outcome.stderr.contains("dead-letters list"))
        #expect(try sample.letters() == [1, 2, 3, 4])
        #expect(try sample.requested().isEmpty)
    }

    @Test(
        "wrong usage is 64 with advice, and nothing is done",
        arguments: [
            (["replay"], "--all"), (["drop"], "--all"), (["drop", "--route", "x"], "--all"),
            (["drop", "1", "--all"], "without numbers"), (["replay", "1", "--route", "x"], "go with --all"),
            (["drop", "--all", "--older-than", "2"], "as in 2h"), (["list", "--older-than", "soon"], "as in 2h"),
            (["list", "--limit", "0"], "from 1"), (["show", "x"], "x"), (["show"], "id"),
        ]
    )
    func usage(arguments: [String], advice: String) async throws {
        try fill()
        let outcome = try await onThread { [path = sample.path] in
            try Shell.run(Command.path, ["dead-letters"] + arguments + ["--store", path])
        }
        #expect(outcome.status == .exited(64), "\(outcome.stderr)")
        #expect(outcome.stderr.contains(advice), "\(outcome.stderr)")
        #expect(try sample.letters() == [1, 2, 3, 4])
    }

    @Test(
        "no store is 66 for every command",
        arguments: [["list"], ["show", "1"], ["replay", "1"], ["drop", "--all"]]
    )
    func missing(arguments: [String]) async throws {
        let outcome = try await onThread { [path = sample.path] in
            try Shell.run(Command.path, ["dead-letters"] + arguments + ["--store", path])
        }
        #expect(outcome.status == .exited(66) && outcome.stderr.contains("--store PATH"))
        #expect(!FileManager.default.fileExists(atPath: sample.path))
    }
}
