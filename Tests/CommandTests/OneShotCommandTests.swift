import Foundation
import TestSupport
import Testing

@Suite("mqtt-bridge emit and listen")
struct OneShotCommandTests {
    @Test("emit publishes through the routes and succeeds when the broker has taken it")
    func emits() async throws {
        let broker = try MosquittoBroker.start()
        let folder = try TemporaryDirectory()
        let file = try folder.write(configuration(broker.url), to: "bridge.yaml")
        let subscriber = try ChildProcess(
            "stdbuf",
            ["-oL", "mosquitto_sub", "-p", String(broker.port), "-t", "#", "-F", "%t %p", "-d"]
        )
        try await subscriber.waitForLine(containing: "Subscribed")
        let outcome = try await Command.run("emit", "light.hall.set", "on", "--config", file)
        #expect(outcome.status == .exited(0))
        try await subscriber.waitForLine(containing: "home/hall/light/set on")
    }

    @Test("emit leaves a running daemon with the same configuration alone")
    func emitsBesideDaemon() async throws {
        let broker = try MosquittoBroker.start()
        let folder = try TemporaryDirectory()
        let file = try folder.write(
            configuration(broker.url, more: "    client_id: daemon\n    session_expiry: 1h"),
            to: "bridge.yaml"
        )
        let daemon = try await Command.daemon("--config", file)
        #expect(try await Command.run("emit", "climate.x.temperature", "1", "--config", file).status == .exited(0))
        try await daemon.waitForLine(containing: "climate.x.temperature 1", in: .output)
        #expect(daemon.isRunning)
    }

    @Test("emit says why it failed by its exit code")
    func emitFailures() async throws {
        let folder = try TemporaryDirectory()
        try folder.write("topic read #\n", to: "acl", permissions: 0o644)
        let broker = try MosquittoBroker.start(
            configuration: "allow_anonymous true\nacl_file \(folder.file("acl"))"
        )
        let file = try folder.write(configuration(broker.url), to: "bridge.yaml")
        let refused = try await Command.run("emit", "light.hall.set", "on", "--config", file)
        #expect(refused.status == .exited(77), "\(refused.stderr)")
        let unmapped = try await Command.run("emit", "no.such.route", "on", "--config", file)
        #expect(unmapped.status == .exited(64))
        #expect(unmapped.stderr.contains("explain"))
        let closed = try await Command.run("emit", "a.b", "1", "--broker", "mqtt://127.0.0.1:1")
        #expect(closed.status == .exited(69))
        #expect(closed.stderr.contains("connection refused"))
        let illegal = try await Command.run("emit", "a.b", "1", "--broker", "http://x")
        #expect(illegal.status == .exited(78))
    }

    @Test("a refused login is not permitted (77), and the password is in no message")
    func badPassword() async throws {
        let folder = try TemporaryDirectory()
        let passwords = folder.file("passwords")
        _ = try Shell.run("mosquitto_passwd", ["-b", "-c", passwords, "user", "right"]).succeeded()
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: passwords)
        let broker = try MosquittoBroker.start(configuration: "password_file \(passwords)")
        func file(_ password: String) throws -> String {
            let login = "    username: user\n    password: {value: \(password)}"
            return try folder.write(configuration(broker.url, more: login), to: "\(password).yaml")
        }
        #expect(try await Command.run("emit", "light.x.set", "1", "--config", try file("right")).status == .exited(0))
        let refused = try await Command.run("emit", "light.x.set", "1", "--config", try file("wr0ng-s3cret"))
        #expect(refused.status == .exited(77))
        #expect(!refused.stderr.replacing("wr0ng-s3cret.yaml", with: "").contains("wr0ng-s3cret"))
    }

    @Test("listen ends after so many events, or in time")
    func listens() async throws {
        let broker = try MosquittoBroker.start()
        let listener = try ChildProcess(
            Command.path,
            ["listen", "x.*", "--count", "2", "--broker", broker.url, "--format", "json"]
        )
        try await listener.waitForLine(containing: "ready", in: .errors)
        for topic in ["x/1", "y/1", "x/2", "x/3"] { try await Command.publish(topic, "1", port: broker.port) }
        #expect(try await listener.wait() == .exited(0))
        #expect(try listener.lines(of: .output).map { try PrintedEvent($0).event } == ["x.1", "x.2"])
        let late = try await Command.run("listen", "x.*", "--count", "1", "--timeout", "0.5", "--broker", broker.url)
        #expect(late.status == .exited(69))
        let idle = try await Command.run("listen", "x.*", "--timeout", "0.5", "--broker", broker.url)
        #expect(idle.status == .exited(0))
        let absent = try await Command.run("listen", "x.*", "--broker", "mqtt://127.0.0.1:1")
        #expect(absent.status == .exited(69))
    }

    @Test("listen shows what happens to the bridge itself")
    func listensToStatus() async throws {
        let broker = try MosquittoBroker.start()
        let outcome = try await Command.run(
            "listen",
            "$bridge.connected",
            "--count",
            "1",
            "--timeout",
            "5",
            "--broker",
            broker.url
        )
        #expect(outcome.status == .exited(0))
        #expect(outcome.stdout.contains("$bridge.connected"))
    }
}
