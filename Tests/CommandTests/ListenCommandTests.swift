import Foundation
import TestSupport
import Testing

@Suite("mqtt-bridge listen")
struct UnreadListenCommandTests {
    @Test("it ends when nobody reads its output any more")
    func endsUnread() async throws {
        let broker = try MosquittoBroker.start()
        let script = "{ '\(Command.path)' listen 'x.*' --broker \(broker.url); echo \"status $?\" >&2; } | head -n 1"
        let shell = try ChildProcess("sh", ["-c", script])
        try await shell.waitForLine(containing: "ready", in: .errors)
        try await Command.publish("x/1", "1", port: broker.port)
        try await shell.waitForLine(containing: "x.1", in: .output)
        #expect(
            try await eventually {
                try await Command.publish("x/1", "1", port: broker.port)
                return shell.lines(of: .errors).contains { $0.hasPrefix("status ") }
            }
        )
        #expect(shell.lines(of: .errors).contains("status 0"), "\(shell.transcript)")
    }
}

@Suite("mqtt-bridge listen --count --quiet")
struct ListenCommandTests {
    @Test("the events asked for become one line of text: how many, in what time, at what rate")
    func countsAsText() async throws {
        let (line, elapsed) = try await countThree()
        let parts = try #require(line.wholeMatch(of: /(\d+) events in (\d+\.\d{3}) s, (\d+) per second/), "\(line)")
        let (events, seconds, rate) = (Int(parts.1), Double(parts.2), Double(parts.3))
        #expect(events == 3)
        try expectRate(#require(rate), seconds: #require(seconds), elapsed: elapsed, "\(line)")
    }

    @Test("the events asked for become one line of JSON: how many, in what time, at what rate")
    func countsAsJSON() async throws {
        let (line, elapsed) = try await countThree("--format", "json")
        let printed = try JSONDecoder().decode(PrintedRate.self, from: Data(line.utf8))
        #expect(printed.events == 3)
        expectRate(printed.events_per_second, seconds: printed.seconds, elapsed: elapsed, "\(line)")
    }

    @Test("more events than asked for, in one burst, still make one line")
    func countsBurst() async throws {
        let broker = try MosquittoBroker.start()
        let listener = try await listener(at: broker, ["--count", "1000"])
        let port = String(broker.port)
        let messages = String(repeating: "1\n", count: 1_500)
        _ = try await onThread {
            try Shell.run("mosquitto_pub", ["-p", port, "-t", "x/1", "-q", "1", "-l"], input: messages).succeeded()
        }
        #expect(try await listener.wait() == .exited(0))
        let lines = listener.lines(of: .output)
        #expect(lines.count == 1 && lines[0].hasPrefix("1000 events in "), "\(listener.transcript)")
    }

    @Test("too few events in time print nothing, end with 69, and standard error says how many matched")
    func countsTooFew() async throws {
        let broker = try MosquittoBroker.start()
        // Retained: they come as soon as somebody listens, so that the time-out need not wait for the publisher.
        for topic in ["x/1", "y/1", "x/2"] { try await Command.publish(topic, "1", port: broker.port, "-r") }
        let outcome = try await Command.run(
            "listen",
            "x.*",
            "--quiet",
            "--count",
            "3",
            "--timeout",
            "4",
            "--broker",
            broker.url
        )
        #expect(outcome.status == .exited(69))
        #expect(outcome.stdout == "")
        #expect(outcome.stderr.contains("2 events were counted, 0 more came too fast"), "\(outcome.stderr)")
        #expect(outcome.stderr.contains("listen to x.*: timed out"), "\(outcome.stderr)")
    }

    @Test(
        "a count from which no rate follows is refused with what would do",
        arguments: [["--quiet"], ["--quiet", "--count", "1"]]
    )
    func refusesCount(arguments: [String]) async throws {
        // No broker is there: the mistake is told before one is looked for.
        let fixed = ["listen", "x.*", "--broker", "mqtt://127.0.0.1:1"]
        let outcome = try await onThread { try Shell.run(Command.path, fixed + arguments, timeout: .seconds(20)) }
        #expect(outcome.status == .exited(64))
        #expect(outcome.stdout == "")
        #expect(outcome.stderr.contains("--quiet needs --count, of 2 or more"), "\(outcome.stderr)")
    }

    /// Starts one that counts what matches `x.*`, and returns when it is ready.
    private func listener(at broker: MosquittoBroker, _ arguments: [String]) async throws -> ChildProcess {
        let fixed = ["listen", "x.*", "--quiet", "--broker", broker.url]
        let listener = try ChildProcess(Command.path, fixed + arguments)
        try await listener.waitForLine(containing: "ready", in: .errors)
        return listener
    }

    /// Lets it count three events, one after the other, a publisher's start apart.
    ///
    /// - Returns: The only line that it prints, and the time from before the first event until after its end.
    private func countThree(_ format: String...) async throws -> (String, Duration) {
        // Without this line the broker holds back small packets for 40 ms, and the three come as one.
        let broker = try MosquittoBroker.start(configuration: "allow_anonymous true\nset_tcp_nodelay true")
        let listener = try await listener(at: broker, ["--count", "3"] + format)
        let start = ContinuousClock.now
        for topic in ["x/1", "x/2", "x/3"] { try await Command.publish(topic, "1", port: broker.port) }
        #expect(try await listener.wait() == .exited(0))
        let elapsed = start.duration(to: .now)
        let lines = listener.lines(of: .output)
        #expect(lines.count == 1, "\(listener.transcript)")
        return (try #require(lines.first), elapsed)
    }

    /// Expects the rate of three events, of which the first only begins the time. The time has whole milliseconds and
    /// the rate is a whole number: their product is as far from 2 as that allows.
    private func expectRate(_ rate: Double, seconds: Double, elapsed: Duration, _ comment: Comment) {
        #expect(seconds <= elapsed / .seconds(1) + 0.0005, comment)
        #expect(abs(rate * seconds - 2) <= 0.0005 * rate + 0.5 * seconds + 0.001, comment)
    }
}

/// The line of `--quiet --format json`.
private struct PrintedRate: Decodable {
    let events: Int
    let seconds: Double
    let events_per_second: Double
}
