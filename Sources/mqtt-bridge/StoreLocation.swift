import ArgumentParser
import Foundation
import MQTTBridgeConfiguration
import MessageStore
import SQLiteStore

/// Which store an operator means.
struct StoreLocation: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The file of the store.",
            discussion: "Without it: the one that the configuration names, else store.sqlite in the state folder.",
            valueName: "path"
        )
    )
    var store: String?

    @Option(help: "The configuration file that names the store.")
    var config: String?

    /// Opens it beside the bridge that uses it, calls `body`, and closes it.
    ///
    /// - Throws: `StoreError` `.missing` when there is none; `ConfigurationProblems`; what `body` throws.
    func withStore<Result>(_ body: (SQLiteStore) throws -> Result) throws -> Result {
        let path = try path
        let store: SQLiteStore
        do throws(StoreError) {
            store = try SQLiteStore.openForOperator(path: path)
        } catch let error where error.code == .missing {
            throw StoreError(
                .missing,
                operation: error.operation,
                detail: error.detail,
                advice: """
                    Name the bridge's store with --store PATH, or its configuration with --config FILE; a service of \
                    systemd has it in /var/lib. The bridge makes it when it starts.
                    """
            )
        }
        defer { store.close() }
        return try body(store)
    }

    /// The path of the store that is meant.
    var path: String {
        get throws {
            if let store { return store }
            guard let config else { return Self.defaultPath }
            // Whether its routes fit a store is not the question here.
            return try BridgeConfiguration(contentsOf: config, hasStore: true).store?.path ?? Self.defaultPath
        }
    }

    /// Where the store is if nobody says: in the state folder of the service, else of the user.
    static var defaultPath: String {
        let environment = ProcessInfo.processInfo.environment
        if let folder = environment["STATE_DIRECTORY"]?.split(separator: ":").first { return "\(folder)/store.sqlite" }
        // The XDG Base Directory Specification 0.8 has relative paths ignored.
        if let folder = environment["XDG_STATE_HOME"], folder.hasPrefix("/") {
            return "\(folder)/mqtt-bridge/store.sqlite"
        }
        let home = environment["HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? NSHomeDirectory()
        return "\(home)/.local/state/mqtt-bridge/store.sqlite"
    }
}

/// How an operator's command answers: text for people, json for programs.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case text
    case json
}
