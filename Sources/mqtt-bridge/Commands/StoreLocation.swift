import ArgumentParser
import BridgeDaemon
import MQTTBridgeConfiguration
import MessageStore
import SQLiteStore

/// The options that select a store.
struct StoreLocation: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The file of the store.",
            discussion: "Without it: the path in the configuration, else store.sqlite in the state folder.",
            valueName: "path"
        )
    )
    var store: String?

    @Option(help: "The configuration file that names the store.")
    var config: String?

    /// Opens the store, even while a bridge uses it, calls `body`, and closes the store.
    ///
    /// - Throws: `StoreError` `.missing` if there is none; `ConfigurationProblems`; errors of `body`.
    func withStore<Result>(_ body: (SQLiteStore) throws -> Result) throws -> Result {
        let path = try path
        let store = try Self.opened { () throws(StoreError) in try SQLiteStore.openForOperator(path: path) }
        defer { store.close() }
        return try body(store)
    }

    /// Opens the store as its only owner, calls `body`, and closes the store.
    ///
    /// - Throws: `StoreError` `.inUse` while a bridge uses it, `.missing` if there is none; `ConfigurationProblems`; errors
    ///   of `body`.
    func withStoppedStore<Result>(_ body: (SQLiteStore) throws -> Result) throws -> Result {
        let path = try path
        let store = try Self.opened { () throws(StoreError) in try SQLiteStore.openForMaintenance(path: path) }
        defer { store.close() }
        return try body(store)
    }

    /// Returns the result of `open`. Gives its errors advice for the command line.
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

    /// The path of the selected store.
    var path: String {
        get throws {
            if let store { return store }
            return try configuration?.store?.path ?? SQLiteStoreOptions.defaultPath
        }
    }

    /// The content of the configuration file; nil without one.
    var configuration: BridgeConfiguration? {
        get throws {
            // The file may have durable routes without a store: the store is named by other means here.
            try config.map { try BridgeConfiguration(contentsOf: $0, hasStore: true) }
        }
    }
}

/// The output format of an operator's command: text for people, json for programs.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case text
    case json
}
