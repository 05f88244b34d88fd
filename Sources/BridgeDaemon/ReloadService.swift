internal import Logging
internal import MQTTBridge
internal import ServiceLifecycle

/// Reads the configuration again at each SIGHUP, and lets the bridge follow it: as a whole, or not at all.
struct ReloadService: Service {
    let bridge: Bridge
    let source: SetupSource
    /// Prepares a broker for this daemon.
    let adapt: @Sendable (Broker) -> Broker
    let logger: Logger

    func run() async {
        var current = source.initial
        for await _ in source.requests.cancelOnGracefulShutdown() {
            guard let read = source.read else {
                logger.warning("SIGHUP: there is no configuration file to read again")
                continue
            }
            do {
                let next = try read()
                let change = try SetupChange(from: current, to: next)
                if change.isEmpty {
                    logger.notice("the configuration was read again; nothing has changed")
                    continue
                }
                try bridge.use(
                    change.routes,
                    adding: change.addedBrokers.map(adapt),
                    removing: Set(change.removedBrokers)
                )
                current = next
                logger.notice(
                    "the configuration was read again and is in use",
                    metadata: [
                        "routes": "\(change.addedRoutes.count) added, \(change.removedRoutes.count) removed",
                        "brokers": "\(change.addedBrokers.count) added, \(change.removedBrokers.count) removed",
                    ]
                )
            } catch {
                logger.error(
                    "the configuration was read again and is not used: nothing has changed",
                    metadata: ["reason": "\(error)"]
                )
            }
        }
    }
}
