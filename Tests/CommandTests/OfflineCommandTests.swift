import Foundation
import TestSupport
import Testing

@Suite("mqtt-bridge check, explain, init, version")
struct OfflineCommandTests {
    @Test("check says every mistake at once, with its place and how to mend it")
    func check() async throws {
        let folder = try TemporaryDirectory()
        let good = try folder.write(configuration("mqtt://127.0.0.1"), to: "good.yaml")
        #expect(try await Command.run("check", good).status == .exited(0))
        let bad = try folder.write(
            """
            brokers:
              main: {url: "mqtt://h", colour: red}
            routes:
              - {topic: "a/{x}", event: "a.b"}
              - {topic: "c/+", event: "c.d", direction: sideways}

            """,
            to: "bad.yaml"
        )
        let outcome = try await Command.run("check", bad)
        #expect(outcome.status == .exited(78))
        let lines = outcome.stderr.split(separator: "\n").map(String.init)
        #expect(lines.count == 4, "\(outcome.stderr)")
        #expect(lines.allSatisfy { $0.hasPrefix("\(bad):") && $0.contains(": error: ") })
        #expect(lines.first?.contains(":2:27: error: ") == true, "\(lines.first ?? "")")
        #expect(try await Command.run("check", folder.file("absent.yaml")).status == .exited(78))
        #expect(try await Command.run("run", "--config", bad).status == .exited(78))
    }

    @Test("a reader of the output that is gone does not kill")
    func brokenPipe() async throws {
        let command = Command.path
        let shell = try ChildProcess(
            "sh",
            ["-c", "{ sleep 0.3; '\(command)' version; echo \"status $?\" >&2; } | true"]
        )
        // 128 + SIGPIPE would be 141.
        let line = try await shell.waitForLine(containing: "status ")
        #expect(!line.contains("141"), "\(line)")
    }

    @Test("explain says what becomes of a topic and of an event")
    func explain() async throws {
        let folder = try TemporaryDirectory()
        let file = try folder.write(configuration("mqtt://127.0.0.1"), to: "bridge.yaml")
        let topic = try await Command.run("explain", "--config", file, "--topic", "home/kitchen/temperature")
        #expect(topic.status == .exited(0))
        for part in ["climate", "{room} = kitchen", "climate.kitchen.temperature", "QoS 1", "loop guard"] {
            #expect(topic.stdout.contains(part), "\(part) in \(topic.stdout)")
        }
        let event = try await Command.run("explain", "--config", file, "--event", "light.hall.set")
        for part in ["lights", "{room} = hall", "home/hall/light/set", "QoS 1", "retained"] {
            #expect(event.stdout.contains(part), "\(part) in \(event.stdout)")
        }
        let nothing = try await Command.run("explain", "--config", file, "--topic", "elsewhere")
        #expect(nothing.stdout.contains("no route matches"))
        #expect(try await Command.run("explain", "--config", file).status == .exited(64))
    }

    @Test("init writes a file that passes check, and overwrites none")
    func initialize() async throws {
        let folder = try TemporaryDirectory()
        let file = folder.file("new.yaml")
        #expect(try await Command.run("init", file).status == .exited(0))
        #expect(try await Command.run("check", file).status == .exited(0))
        #expect(try await Command.run("init", file).status == .exited(64))
        #expect(try await Command.run("init").stdout.contains("brokers:"))
    }

    @Test("version prints its own, the compiler's and the libraries'")
    func version() async throws {
        let outcome = try await Command.run("version")
        #expect(outcome.status == .exited(0))
        let lines = outcome.stdout.split(separator: "\n")
        #expect(lines.map { $0.split(separator: " ")[0] } == ["mqtt-bridge", "Swift", "libmosquitto", "SQLite"])
    }

    @Test("wrong usage is 64, help is 0", arguments: [(["--help"], 0), (["run", "--wrong"], 64), (["nonsense"], 64)])
    func usage(arguments: [String], code: Int) async throws {
        let outcome = try await onThread { try Shell.run(Command.path, arguments) }
        #expect(outcome.status == .exited(Int32(code)))
    }
}
