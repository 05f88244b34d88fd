import AsyncEventBus
import Logging
import TestSupport

@testable import MQTTBridge

extension BridgeContext {
    /// What the parts of a bridge share, without a bridge.
    static func sample(_ bus: EventBus, _ routes: [Route], logger: Logger = .silent) throws -> BridgeContext {
        let brokers = Set(routes.map(\.broker))
        return BridgeContext(
            bus: bus,
            routes: CurrentRoutes(try RouteTable(routes, brokers: brokers, hasStore: true)),
            loopGuard: LoopGuard(repeatLimit: 1, turnLimit: 1),
            reporter: StatusReporter(bus: bus, logger: logger) { _, _ in },
            readiness: Readiness(brokers: Array(brokers)),
            options: BridgeOptions(),
            logger: logger
        )
    }
}
