import Logging
import MQTTBridge
import SQLiteStore
import ServiceLifecycle
import Site

/// Joins the devices of a site to the cloud: `gateway [LOCAL_URL CLOUD_URL STORE]`.
@main
struct Gateway {
    static func main() async throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        let (localURL, cloudURL, path) =
            arguments.count == 3
            ? (arguments[0], arguments[1], arguments[2])
            : ("mqtt://127.0.0.1:1883", "mqtt://127.0.0.1:1884", "gateway.store")
        let bus = EventBus(name: "gateway")
        try Site.addPressureRule(to: bus)

        let local = try Broker(localURL, name: "local", replyingWithin: Site.answers)
        var cloud = try Broker(cloudURL, name: "cloud", replyingWithin: Site.answers)
        cloud.presence = "sites/1/gateway"
        let store = try SQLiteStore.open(path)
        defer { store.close() }
        let bridge = try Bridge(bus: bus, brokers: [local, cloud], routes: Site.gatewayRoutes, store: store)

        let services = ServiceGroup(
            services: [bridge, Screen(bus: bus)],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: Logger(label: "gateway")
        )
        try await services.run()
    }
}

/// Prints each change of a pump's state.
struct Screen: Service {
    let bus: EventBus

    func run() async {
        for await (id, pump) in bus.state(Site.pump).updates().cancelOnGracefulShutdown() {
            print("pump \(id):", pump.map { $0.runs ? "runs" : "stands" } ?? "unknown")
        }
    }
}
