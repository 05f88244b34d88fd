import AsyncEventBus

@testable import MQTTBridge

extension BridgeContext {
    /// What the parts of a bridge share, without a bridge.
    static func sample(_ bus: EventBus, _ routes: [Route]) throws -> BridgeContext {
        let brokers = Set(routes.map(\.broker))
        return BridgeContext(
            bus: bus,
            table: try RouteTable(routes, brokers: brokers, hasStore: true),
            guards: Guards(repeatLimit: 1, turnLimit: 1),
            reporter: StatusReporter(bus: bus),
            readiness: Readiness(brokers: Array(brokers)),
            options: BridgeOptions(),
            logger: .silent
        )
    }
}
