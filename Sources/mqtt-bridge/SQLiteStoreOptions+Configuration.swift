import MQTTBridgeConfiguration
import SQLiteStore

extension SQLiteStoreOptions {
    /// What a configuration says about its store, at the default place if it names none.
    init(_ configuration: StoreConfiguration) {
        self.init(
            path: configuration.path ?? StoreLocation.defaultPath,
            synchronous: configuration.synchronous == .full ? .full : .normal,
            whenDamaged: configuration.whenCorrupt == .refuse ? .refuse : .moveAside
        )
    }
}
