internal import Foundation
package import MQTTBridgeConfiguration
package import SQLiteStore

extension SQLiteStoreOptions {
    /// Creates the options of a configuration; the path is ``defaultPath`` if the configuration names none.
    package init(_ configuration: StoreConfiguration) {
        self.init(
            path: configuration.path ?? Self.defaultPath,
            synchronous: configuration.synchronous == .full ? .full : .normal,
            onCorrupt: configuration.onCorrupt == .refuse ? .refuse : .moveAside,
            checkAtStart: configuration.checkAtStart == .full ? .full : .quick
        )
    }

    /// The default path of a store: in the state folder of the service, otherwise of the user.
    package static var defaultPath: String {
        let environment = ProcessInfo.processInfo.environment
        if let folder = environment["STATE_DIRECTORY"]?.split(separator: ":").first { return "\(folder)/store.sqlite" }
        // The XDG Base Directory Specification 0.8 requires that relative paths are ignored.
        if let folder = environment["XDG_STATE_HOME"], folder.hasPrefix("/") {
            return "\(folder)/mqtt-bridge/store.sqlite"
        }
        let home = environment["HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? NSHomeDirectory()
        return "\(home)/.local/state/mqtt-bridge/store.sqlite"
    }
}
