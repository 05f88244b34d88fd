import ArgumentParser
import BridgeDaemon
import MQTTBridge
import MQTTBridgeConfiguration
import Mosquitto
import SQLiteStore

/// Where the brokers and routes come from.
struct ConnectionOptions: ParsableArguments {
    @Option(help: "The configuration file. Without it, everything is mapped both ways.")
    var config: String?

    @Option(
        help: ArgumentHelp(
            "The broker: mqtt://HOST[:PORT], mqtts://HOST[:PORT] or unix:///PATH (without a file: mqtt://127.0.0.1).",
            discussion: "Takes the place of the URL of the configuration's only broker; of several, write NAME=URL.",
            valueName: "url"
        )
    )
    var broker: String?

    /// Reads the file, if there is one, and puts `--broker` in its place.
    ///
    /// - Parameters:
    ///   - store: The path of a store that takes the place of the file's.
    ///   - keepsMessages: Whether durable routes are to have a store: not where the store is not used.
    func load(store: String? = nil, keepsMessages: Bool = false) throws -> Setup {
        var setup: Setup
        if let config {
            let file = try BridgeConfiguration(contentsOf: config, hasStore: store != nil || !keepsMessages)
            setup = Setup(brokers: file.brokers, routes: file.routes, options: file.options)
            setup.store = file.store.map { SQLiteStoreOptions($0) }
        } else {
            setup = Setup(brokers: [try Broker("mqtt://127.0.0.1:1883")], routes: [], options: BridgeOptions())
        }
        if let store {
            var options = setup.store ?? SQLiteStoreOptions(path: store)
            options.path = store
            setup.store = options
        }
        if let broker { try setup.replaceURL(broker) }
        return setup
    }
}
