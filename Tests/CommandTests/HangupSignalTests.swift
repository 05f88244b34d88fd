import Foundation
import TestSupport
import Testing

@Suite("signals")
struct HangupSignalTests {
    @Test("without a file SIGHUP is answered in the log and does not end the daemon")
    func hangup() async throws {
        let broker = try MosquittoBroker.start()
        let daemon = try await Command.daemon("--broker", broker.url)
        for _ in 0..<2 {
            let before = daemon.lines.count
            daemon.signal(SIGHUP)
            try await daemon.waitForLine(containing: "no configuration file", in: .errors, after: before)
        }
        try await Command.publish("a/b", "1", port: broker.port)
        try await daemon.waitForLine(containing: "a.b 1", in: .output)
        daemon.signal(SIGTERM)
        #expect(try await daemon.wait() == .exited(0))
    }

    @Test("SIGHUP takes over changed routes and a new broker, and not a file that cannot be taken over")
    func reload() async throws {
        let (broker, other) = (try MosquittoBroker.start(), try MosquittoBroker.start())
        let folder = try TemporaryDirectory()
        func write(_ text: String) throws -> String { try folder.write(text, to: "bridge.yaml") }
        func brokers(_ names: [(String, String)]) -> String {
            "brokers:\n" + names.map { "  \($0.0): {url: \"\($0.1)\"}\n" }.joined()
        }
        let near = brokers([("near", broker.url)])
        let file = try write(near + "routes:\n  - {topic: \"a/{x}\", event: \"a.{x}\"}\n")
        let daemon = try await Command.daemon("--config", file)
        func reload(_ text: String, expecting line: String) async throws {
            _ = try write(text)
            let before = daemon.lines.count
            daemon.signal(SIGHUP)
            try await daemon.waitForLine(containing: line, in: .errors, after: before)
        }
        try await reload(near + "routes:\n  - {topic: \"b/{x}\", event: \"b.{x}\"}\n", expecting: "1 added, 1 removed")
        try await published("b/1", "b.1 x", broker, daemon)
        // Broken, then a change that only a new process takes over.
        try await reload(near + "routes:\n  - {topic: \"b/{x\", event: \"b.{x}\"}\n", expecting: "nothing has changed")
        try await reload(
            brokers([("near", "\(broker.url)/"), ("far", other.url)]).replacing("}\n", with: ", keep_alive: 9s}\n")
                + "routes:\n  - {topic: \"b/{x}\", event: \"b.{x}\", broker: near}\n",
            expecting: "restart the daemon"
        )
        try await published("b/2", "b.2 x", broker, daemon)
        let far = "  - {topic: \"c/{x}\", event: \"c.{x}\", broker: far}\n"
        let both =
            brokers([("near", broker.url), ("far", other.url)])
            + "routes:\n  - {topic: \"b/{x}\", event: \"b.{x}\", broker: near}\n" + far
        try await reload(both, expecting: "brokers=1 added, 0 removed")
        try await published("c/1", "c.1 x", other, daemon)
        try await reload(both, expecting: "nothing has changed")
        daemon.signal(SIGTERM)
        #expect(try await daemon.wait() == .exited(0))
    }

    /// Publishes until the event was printed: a new subscription takes a moment.
    private func published(_ topic: String, _ line: String, _ broker: MosquittoBroker, _ daemon: ChildProcess)
        async throws
    {
        let heard = try await eventually(within: .seconds(20)) {
            try await Command.publish(topic, "x", port: broker.port)
            return daemon.lines.contains { $0.text.contains(line) }
        }
        #expect(heard, "\(topic)")
    }

    @Test("a daemon has a limit of zero for core files")
    func core() async throws {
        let broker = try MosquittoBroker.start()
        let daemon = try await Command.daemon("--broker", broker.url)
        let limits = try String(contentsOfFile: "/proc/\(daemon.processID)/limits", encoding: .utf8)
        let line = try #require(limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") })
        #expect(line.split(separator: " ").filter { $0 == "0" }.count == 2, "\(line)")
        daemon.signal(SIGTERM)
        #expect(try await daemon.wait() == .exited(0))
    }
}
