import Foundation
import TestSupport

/// The program under test, as this build made it.
enum Command {
    /// It lies beside the test bundle.
    static var path: String {
        let bundle = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        let beside = bundle.deletingLastPathComponent().appendingPathComponent("mqtt-bridge").path
        if FileManager.default.isExecutableFile(atPath: beside) { return beside }
        let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(fileURLWithPath: own ?? "/").deletingLastPathComponent().appendingPathComponent("mqtt-bridge").path
    }

    /// Runs it to its end.
    static func run(
        _ arguments: String...,
        environment: [String: String] = [:],
        timeout: Duration = .seconds(20)
    ) async throws -> Shell.Outcome {
        let merged = ProcessInfo.processInfo.environment(with: environment)
        return try await onThread { try Shell.run(path, arguments, environment: merged, timeout: timeout) }
    }

    /// Starts a daemon and returns when it says that it is ready.
    static func daemon(_ arguments: String...) async throws -> ChildProcess { try await daemon(arguments: arguments) }

    static func daemon(arguments: [String]) async throws -> ChildProcess {
        let daemon = try ChildProcess(path, ["run"] + arguments)
        try await daemon.waitForLine(containing: "ready", in: .errors, within: .seconds(15))
        return daemon
    }

    /// Publishes with a client that knows nothing of us.
    static func publish(_ topic: String, _ payload: String, port: Int, _ more: String...) async throws {
        let arguments = ["-p", String(port), "-t", topic, "-m", payload] + more
        _ = try await onThread { try Shell.run("mosquitto_pub", arguments).succeeded() }
    }
}

extension MosquittoBroker {
    var url: String { "mqtt://127.0.0.1:\(port)" }
}

/// A line of `--format json`.
struct PrintedEvent: Decodable {
    let event: String
    let topic: String?
    let payload: String?
    let payload_base64: String?
    let qos: Int?
    let retained: Bool
    let origin: String
    let route: String?
    let id: String
    let time: String

    init(_ line: String) throws {
        self = try JSONDecoder().decode(PrintedEvent.self, from: Data(line.utf8))
    }
}

/// A configuration with a rename, for one broker.
func configuration(_ url: String, more: String = "", version: String = "5") -> String {
    """
    brokers:
      main:
        url: \(url)
        version: \(version)
    \(more)
    routes:
      - {name: climate, topic: "home/{room}/temperature", event: "climate.{room}.temperature"}
      - {name: lights, topic: "home/{room}/light/set", event: "light.{room}.set", direction: out, retain: true}

    """
}
