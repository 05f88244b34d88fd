internal import FaultKit
internal import Foundation

/// A configuration and a store for successive daemons, each of which is one life.
final class Installation {
    let folder: String
    /// The configuration of the next life.
    var configuration: DaemonConfiguration
    /// Environment variables of the next lives.
    var environment: [String: String] = [:]
    /// The prefix of the event names that are fed to the next lives.
    var feedPrefix = "out.k"
    /// The number of lives so far.
    private(set) var lives = 0

    private let executable: String
    private let inbound: Ledger
    private let outbound: Ledger

    init(
        executable: String,
        folder: String,
        configuration: DaemonConfiguration,
        inbound: Ledger,
        outbound: Ledger
    ) throws {
        (self.executable, self.folder, self.configuration) = (executable, folder, configuration)
        (self.inbound, self.outbound) = (inbound, outbound)
        try FileManager.default.createDirectory(
            atPath: "\(folder)/store",
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
    }

    /// The file of the store.
    var store: String { "\(folder)/store/bridge.sqlite" }

    /// Starts a daemon.
    ///
    /// - Parameters:
    ///   - load: The load for its standard input, from the beginning.
    ///   - crashPoint: The point at which it kills itself; nil for none.
    func start(
        feeding load: Publisher.Load? = nil,
        crashPoint: String? = nil
    ) throws -> Daemon {
        lives += 1
        let file = try writeConfiguration()
        var environment = environment
        environment["MQTT_BRIDGE_CRASH_POINT"] = crashPoint ?? ""
        environment["SWIFT_BACKTRACE"] = "enable=no"
        return try Daemon(
            executable: executable,
            arguments: ["run", "--config", file, "--store", store, "--format", "json", "--log-level", "error"]
                + ["--stdin", "--receipts", "--status"],
            environment: ProcessInfo.processInfo.environment(with: environment),
            life: lives,
            inbound: inbound,
            outbound: outbound,
            load: load,
            feedPrefix: feedPrefix
        )
    }

    /// Writes the configuration, for the next life or a reload, and returns the path of its file.
    @discardableResult
    func writeConfiguration() throws -> String {
        let file = "\(folder)/bridge.yaml"
        try Data(configuration.text(store: store).utf8).write(to: URL(fileURLWithPath: file), options: .atomic)
        return file
    }

    /// Runs another `mqtt-bridge` command to its end.
    func command(_ arguments: String...) throws -> Shell.Outcome {
        let environment = ProcessInfo.processInfo.environment(with: ["SWIFT_BACKTRACE": "enable=no"])
        return try Shell.run(executable, arguments + ["--store", store], environment: environment)
    }
}

extension Installation {
    /// The size of the store on disk, including its log, in bytes.
    var storeSize: Int {
        let folder = "\(folder)/store"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.reduce(0) { sum, name in
            let attributes = try? FileManager.default.attributesOfItem(atPath: "\(folder)/\(name)")
            return sum + ((attributes?[.size] as? NSNumber)?.intValue ?? 0)
        }
    }
}
