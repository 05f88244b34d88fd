import BridgeDaemon
import MQTTBridge
import MQTTBridgeConfiguration
import MessageStore
import SQLiteStore

/// The brokers, routes and listeners of a daemon with a configuration.
struct ConfiguredOwners {
    private let brokers: Set<ExactName>
    private let routes: Set<ExactName>
    private let listeners: Set<ExactName> = [ExactName(Daemon.listenerName)]

    init(_ configuration: BridgeConfiguration) {
        brokers = Set(configuration.brokers.map { ExactName($0.name) })
        // As in the bridge: without routes, one route maps everything.
        let routes = configuration.routes.isEmpty ? [Route.everything()] : configuration.routes
        self.routes = Set(routes.map { ExactName($0.name) })
    }

    /// Returns the shares of all other owners, sorted by kind and name.
    func others(_ shares: [StoreShare]) -> [StoreShare] {
        shares.filter { share in
            switch share.owner {
            case .broker(let name): !brokers.contains(ExactName(name))
            case .route(let name): !routes.contains(ExactName(name))
            case .listener(let name): !listeners.contains(ExactName(name))
            }
        }
        .sorted { ($0.owner.kind, $0.owner.name) < ($1.owner.kind, $1.owner.name) }
    }
}

extension StoreShare.Owner {
    /// The kind, as options and output name it.
    var kind: String {
        switch self {
        case .broker: "broker"
        case .route: "route"
        case .listener: "listener"
        }
    }

    var name: String {
        switch self {
        case .broker(let name), .route(let name), .listener(let name): name
        }
    }
}
