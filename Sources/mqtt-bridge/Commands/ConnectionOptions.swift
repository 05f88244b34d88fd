import ArgumentParser
import BridgeDaemon
import MQTTBridge
import MQTTBridgeConfiguration
import Mosquitto
import SQLiteStore

/// The options that select the brokers and routes.
struct ConnectionOptions: ParsableArguments {
    @Option(help: "The configuration file. Without it, all topics and events are mapped both ways.")
    var config: String?

    @Option(
        help: ArgumentHelp(
            "The broker: mqtt://HOST[:PORT], mqtts://HOST[:PORT] or unix:///PATH (without a file: mqtt://127.0.0.1).",
            discussion: "Replaces the URL of the only broker in the file. If there are several, write NAME=URL.",
            valueName: "url"
        )
    )
    var broker: String?

    /// Reads the file, if there is one, and applies `--broker`.
    ///
    /// - Parameters:
    ///   - store: A path that replaces the path of the store in the file.
    ///   - keepsMessages: Whether durable routes need a store; false for commands that do not use it.
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
