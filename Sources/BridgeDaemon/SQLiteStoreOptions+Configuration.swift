internal import Foundation
package import MQTTBridgeConfiguration
package import SQLiteStore

extension SQLiteStoreOptions {
    /// What a configuration says about its store, at the default place if it names none.
    package init(_ configuration: StoreConfiguration) {
        self.init(
            path: configuration.path ?? Self.defaultPath,
            synchronous: configuration.synchronous == .full ? .full : .normal,
            onCorrupt: configuration.onCorrupt == .refuse ? .refuse : .moveAside,
            checkAtStart: configuration.checkAtStart == .full ? .full : .quick
        )
    }

    /// Where the store is if nobody says: in the state folder of the service, else of the user.
    package static var defaultPath: String {
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
