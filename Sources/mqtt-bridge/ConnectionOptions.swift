import ArgumentParser
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

/// Brokers, routes and limits: what a bridge is made of.
struct Setup {
    var brokers: [Broker]
    var routes: [Route]
    var options: BridgeOptions
    /// Where durable messages are kept; nil for nowhere.
    var store: SQLiteStoreOptions?

    /// Puts a URL, or `NAME=URL`, in the place of what the configuration says.
    mutating func replaceURL(_ text: String) throws {
        let scheme = text.firstRange(of: "://")?.lowerBound ?? text.endIndex
        if let equals = text[..<scheme].firstIndex(of: "=") {
            try replaceURL([BrokerURL(String(text[text.index(after: equals)...]))], of: String(text[..<equals]))
        } else {
            try replaceURL([BrokerURL(text)], of: nil)
        }
    }

    mutating func replaceURL(_ urls: [BrokerURL], of name: String?) throws {
        let names = brokers.map(\.name).joined(separator: ", ")
        guard let name else {
            guard brokers.count == 1 else {
                throw ValidationError("there are several brokers (\(names)): say which one, as NAME=URL")
            }
            brokers[0].urls = urls
            return
        }
        guard let position = brokers.firstIndex(where: { $0.name == name }) else {
            throw ValidationError("there is no broker \"\(name)\"; the brokers are: \(names)")
        }
        brokers[position].urls = urls
    }

    /// The same brokers as somebody else: a short-lived command must not take the daemon's place at the broker.
    func asGuest(_ purpose: String, persistence: ClientOptions.Persistence, direction: Route.Direction) -> Setup {
        var guest = self
        guest.store = nil
        for position in guest.brokers.indices {
            var options = guest.brokers[position].options
            options.clientID = ClientOptions.randomClientID() + "-" + purpose
            options.sessionExpiry = .zero
            options.will = nil
            options.persistence = persistence
            guest.brokers[position].options = options
        }
        if guest.routes.isEmpty { guest.routes = [.everything(broker: guest.brokers[0].name)] }
        guest.routes = guest.routes.compactMap { route in
            guard route.direction == .both || route.direction == direction else { return nil }
            var route = route
            route.direction = direction
            // The store is the daemon's.
            route.durability = .memory
            return route
        }
        // A broker that none of these routes concerns is left alone.
        let concerned = Set(guest.routes.map(\.broker))
        guest.brokers.removeAll { !concerned.contains($0.name) }
        return guest
    }
}
