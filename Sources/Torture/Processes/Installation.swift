internal import FaultKit
internal import Foundation

/// A configuration and a store, with which one daemon after the other runs: a life each.
final class Installation {
    let folder: String
    /// What the next life is told.
    var configuration: DaemonConfiguration
    /// Variables of the environment for the next lives.
    var environment: [String: String] = [:]
    /// What the names of events begin with that are fed to the next lives.
    var feedPrefix = "out.k"
    /// How many lives there were.
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

    /// Begins a life.
    ///
    /// - Parameters:
    ///   - load: What is fed into its standard input from the beginning.
    ///   - crashPoint: Where it is to kill itself.
    func start(
        feeding load: Publisher.Load? = nil,
        crashPoint: String? = nil
    ) throws -> Daemon {
        lives += 1
        let file = "\(folder)/bridge.yaml"
        try Data(configuration.text(store: store).utf8).write(to: URL(fileURLWithPath: file))
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

    /// Runs another command of the bridge to its end.
    func command(_ arguments: String...) throws -> Shell.Outcome {
        let environment = ProcessInfo.processInfo.environment(with: ["SWIFT_BACKTRACE": "enable=no"])
        return try Shell.run(executable, arguments + ["--store", store], environment: environment)
    }
}

extension Installation {
    /// What the store takes on disk, its log included, in bytes.
    var storeSize: Int {
        let folder = "\(folder)/store"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.reduce(0) { sum, name in
            let attributes = try? FileManager.default.attributesOfItem(atPath: "\(folder)/\(name)")
            return sum + ((attributes?[.size] as? NSNumber)?.intValue ?? 0)
        }
    }
}
