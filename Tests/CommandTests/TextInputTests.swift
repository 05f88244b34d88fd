import Foundation
import TestSupport
import Testing

@Suite("texts that a user gives")
struct TextInputTests {
    /// What is published until a last payload, `end`, comes: topic, payload, payload format indicator.
    private func published(by broker: MosquittoBroker, _ body: () async throws -> Void) async throws -> [String] {
        let subscriber = try ChildProcess(
            "stdbuf",
            ["-oL", "mosquitto_sub", "-V", "5", "-p", String(broker.port), "-t", "home/#", "-F", "%t %x %F", "-d"]
        )
        try await subscriber.waitForLine(containing: "Subscribed")
        try await body()
        try await Command.publish("home/end", "end", port: broker.port)
        try await subscriber.waitForLine(containing: "home/end")
        return subscriber.lines(of: .output).filter { $0.hasPrefix("home/") && !$0.hasPrefix("home/end") }
    }

    @Test("a line that is not UTF-8, or holds half a character, is refused by its number and not repaired")
    func linesThatAreNoText() async throws {
        let broker = try MosquittoBroker.start()
        let folder = try TemporaryDirectory()
        let file = try folder.write(configuration(broker.url), to: "bridge.yaml")
        let lines: [[UInt8]] = [
            Array("{\"event\":\"light.a.set\",\"payload\":\"21".utf8) + [0xB0] + Array("C\"}".utf8),
            Array("{\"event\":\"light.".utf8) + [0xFF] + Array(".set\",\"payload\":\"1\"}".utf8),
            Array(#"{"event":"light.b.set","payload":"\ud800"}"#.utf8),
            Array(#"{"event":"light.b.set","payload":{"x":["\udc00"]}}"#.utf8),
            Array(#"{"event":"light.c.set","payload":"21\u00b0C"}"#.utf8),
            Array(#"{"event":"light.d.set","payload_base64":"MjGwQw=="}"#.utf8),
            Array("{\"event\":\"light.e.set\",\"payload\":\"no line feed\"}\r".utf8),
        ]
        let input = folder.file("input")
        try Data(lines.joined(separator: [0x0A])).write(to: URL(fileURLWithPath: input))
        let found = try await published(by: broker) {
            let pipeline = "exec '\(Command.path)' run --config '\(file)' --stdin --receipts < '\(input)'"
            let daemon = try ChildProcess("sh", ["-c", pipeline])
            try await daemon.waitForLine(containing: "\"receipt\":7,\"id\"", in: .output)
            for line in 1...4 {
                #expect(daemon.transcript.contains("line \(line): \(line < 3 ? "not UTF-8" : "half of a surrogate")"))
                #expect(daemon.lines(of: .output).contains { $0.hasPrefix("{\"receipt\":\(line),\"error\":") })
            }
            #expect(daemon.transcript.contains("payload_base64"))
            try await daemon.waitForLine(containing: "\"receipt\":7", in: .output)
            daemon.signal(SIGTERM)
            #expect(try await daemon.wait() == .exited(0))
        }
        let expected = [
            "home/c/light/set 3231c2b043 1",
            "home/d/light/set 3231b043 ",
            "home/e/light/set 6e6f206c696e652066656564 1",
        ]
        #expect(found.map { $0.replacing("  ", with: " ") } == expected)
    }

    @Test("an argument that is not UTF-8 is refused by its number, a payload and a name alike")
    func arguments() async throws {
        for (arguments, number) in [("emit light.a.set 21\\260C", 3), ("emit 'light.\\377.set' 1", 2)] {
            let script = "'\(Command.path)' $(printf '\(arguments.replacing("'", with: ""))')"
            let outcome = try await onThread { try Shell.run("sh", ["-c", script]) }
            #expect(outcome.status == .exited(64))
            #expect(outcome.stderr.contains("argument \(number) is not UTF-8"), "\(outcome.stderr)")
            #expect(outcome.stderr.contains("payload_base64"))
        }
    }

    @Test("a payload may begin with a dash; a mistyped option is no payload")
    func dashes() async throws {
        let broker = try MosquittoBroker.start()
        let folder = try TemporaryDirectory()
        let file = try folder.write(configuration(broker.url), to: "bridge.yaml")
        let found = try await published(by: broker) {
            let commands = [
                ["emit", "light.a.set", "-5", "--config", file], ["emit", "--config", file, "light.b.set", "-x1"],
                ["emit", "light.c.set", "--config", file, "--", "--on"],
                ["emit", "light.d.set", "--config", file, "--", "--"],
                ["emit", "--config", file, "--", "light.e.set", "-6"],
            ]
            for command in commands {
                let outcome = try await onThread { try Shell.run(Command.path, command) }
                #expect(outcome.status == .exited(0), "\(outcome.stderr)")
            }
            for wrong in [["on", "--confg", file], ["--confg=\(file)"], ["on", "off"], ["--"], []] {
                let outcome = try await onThread { try Shell.run(Command.path, ["emit", "light.x.set"] + wrong) }
                #expect(outcome.status == .exited(64), "\(wrong)")
            }
        }
        #expect(found.map { String($0.split(separator: " ")[1]) } == ["2d35", "2d7831", "2d2d6f6e", "2d2d", "2d36"])
    }
}
