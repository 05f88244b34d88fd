import ArgumentParser
import BridgeDaemon
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
        let store = try Self.opened { () throws(StoreError) in try SQLiteStore.openForOperator(path: path) }
        defer { store.close() }
        return try body(store)
    }

    /// Opens it as its only owner, calls `body`, and closes it.
    ///
    /// - Throws: `StoreError` `.inUse` while a bridge uses it, `.missing` when there is none; `ConfigurationProblems`; what
    ///   `body` throws.
    func withStoppedStore<Result>(_ body: (SQLiteStore) throws -> Result) throws -> Result {
        let path = try path
        let store = try Self.opened { () throws(StoreError) in try SQLiteStore.openForMaintenance(path: path) }
        defer { store.close() }
        return try body(store)
    }

    /// What `open` returns. Its errors get an advice for somebody at a shell.
    private static func opened(_ open: () throws(StoreError) -> SQLiteStore) throws(StoreError) -> SQLiteStore {
        do throws(StoreError) {
            return try open()
        } catch {
            let advice: String
            switch error.code {
            case .missing:
                advice = """
                    Name the bridge's store with --store PATH, or its configuration with --config FILE; a service of \
                    systemd has it in /var/lib. The bridge makes it when it starts.
                    """
            case .inUse:
                advice = "Stop the bridge first, as in systemctl stop mqtt-bridge, and start it again afterwards."
            default: throw error
            }
            throw StoreError(error.code, operation: error.operation, detail: error.detail, advice: advice)
        }
    }

    /// The path of the store that is meant.
    var path: String {
        get throws {
            if let store { return store }
            return try configuration?.store?.path ?? SQLiteStoreOptions.defaultPath
        }
    }

    /// What the configuration file says; nil without one.
    var configuration: BridgeConfiguration? {
        get throws {
            // Whether its routes fit a store is not the question here.
            try config.map { try BridgeConfiguration(contentsOf: $0, hasStore: true) }
        }
    }
}

/// How an operator's command answers: text for people, json for programs.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case text
    case json
}
