import Foundation
import TestSupport
import Testing

// One after the other: each takes port 1883 if it is free, and another's must not be taken for it.
@Suite("mqtt-bridge run --embedded-broker", .serialized)
struct EmbeddedBrokerTests {
    /// The port that a daemon has printed.
    private func port(of daemon: ChildProcess) async throws -> Int {
        let line = try await daemon.waitForLine(containing: "embedded broker at mqtt://127.0.0.1:", in: .errors)
        return Int(line.split(separator: ":").last ?? "") ?? 0
    }

    @Test("two daemons with brokers of their own run beside each other, and take their brokers with them")
    func twoBrokers() async throws {
        let first = try await Command.daemon("--embedded-broker")
        let second = try await Command.daemon("--embedded-broker")
        let ports = [try await port(of: first), try await port(of: second)]
        #expect(ports[0] != ports[1])
        for (daemon, port) in zip([first, second], ports) {
            try await Command.publish("a/b", "for \(port)", port: port)
            try await daemon.waitForLine(containing: "for \(port)", in: .output)
        }
        #expect(!second.transcript.contains("for \(ports[0])"))
        for daemon in [first, second] {
            daemon.signal(SIGTERM)
            #expect(try await daemon.wait() == .exited(0))
        }
        for port in ports {
            let outcome = try await onThread { try Shell.run("mosquitto_pub", ["-p", String(port), "-t", "a", "-n"]) }
            #expect(!outcome.status.isSuccess, "port \(port) is closed")
        }
    }

    @Test("a daemon that is killed takes its broker with it")
    func killed() async throws {
        let daemon = try await Command.daemon("--embedded-broker")
        let port = try await port(of: daemon)
        daemon.kill()
        let isClosed = try await eventually {
            try await onThread { try Shell.run("mosquitto_pub", ["-p", String(port), "-t", "a", "-n"]) }.status
                != .exited(0)
        }
        #expect(isClosed)
    }

    @Test("a folder that is a link, or that others may write to, is refused and left as it is")
    func refusesFolders() async throws {
        let folder = try TemporaryDirectory()
        let (real, link, open) = (folder.file("real"), folder.file("link"), folder.file("open"))
        for path in [real, open] {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        }
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: real)
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: open)
        let planted = folder.file("planted")
        try FileManager.default.createDirectory(
            atPath: planted,
            withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o700]
        )
        try FileManager.default.createSymbolicLink(
            atPath: planted + "/mosquitto.conf",
            withDestinationPath: folder.file("elsewhere")
        )
        let file = try folder.write("", to: "file")
        for (path, reason) in [
            (link, "symbolic link"), (open, "everybody"), (planted, "mosquitto.conf"), (file, "file"),
        ] {
            let outcome = try await Command.run("run", "--embedded-broker", "--broker-data", path)
            #expect(!outcome.status.isSuccess)
            #expect(outcome.stderr.contains(reason), "\(outcome.stderr)")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: real) == [])
        #expect(try FileManager.default.contentsOfDirectory(atPath: open) == [])
        #expect(!FileManager.default.fileExists(atPath: folder.file("elsewhere")))
    }

    @Test("with a folder the broker keeps its messages from one run to the next")
    func keepsData() async throws {
        let folder = try TemporaryDirectory()
        let first = try await Command.daemon("--embedded-broker", "--broker-data", folder.file("data"))
        try await Command.publish("a/b", "kept", port: try await port(of: first), "-r", "-q", "1")
        try await first.waitForLine(containing: "kept", in: .output)
        first.signal(SIGTERM)
        #expect(try await first.wait() == .exited(0))
        let second = try await Command.daemon("--embedded-broker", "--broker-data", folder.file("data"))
        let line = try await second.waitForLine(containing: "a.b", in: .output)
        #expect(line.contains("kept") && line.contains("(retained)"))
    }

    @Test("its address takes the place of the named broker's")
    func namedBroker() async throws {
        let folder = try TemporaryDirectory()
        let other = try MosquittoBroker.start()
        let file = try folder.write(
            """
            brokers:
              local: {url: "mqtt://127.0.0.1:1"}
              cloud: {url: "\(other.url)"}
            routes:
              - {broker: local, topic: "l/{x...}", event: "l.{x...}"}
              - {broker: cloud, topic: "c/{x...}", event: "l.{x...}"}

            """,
            to: "bridge.yaml"
        )
        let unnamed = try await Command.run("run", "--embedded-broker", "--config", file)
        #expect(unnamed.status == .exited(64))
        let daemon = try await Command.daemon("--embedded-broker", "--embed-as", "local", "--config", file)
        let subscriber = try ChildProcess(
            "stdbuf",
            ["-oL", "mosquitto_sub", "-p", String(other.port), "-t", "#", "-F", "%t %p", "-d"]
        )
        try await subscriber.waitForLine(containing: "Subscribed")
        try await Command.publish("l/1", "through", port: try await port(of: daemon))
        try await subscriber.waitForLine(containing: "c/1 through")
    }
}
