import ArgumentParser
import AsyncEventBus
import BufferedIO
import Logging
import MQTTBridge
import Mosquitto

extension PeerOptions {
    /// The QoS to subscribe and to publish with.
    var level: QoS {
        get throws {
            guard let level = QoS(rawValue: .init(qos)) else { throw ValidationError("--qos is 0 or 1") }
            return level
        }
    }

    /// A bridge to the broker, with the routes given and those for the two signs. Its I/O is buffered unless the
    /// environment says otherwise.
    func bridge(on bus: EventBus, _ routes: [Route]) throws -> Bridge {
        BufferedIO.enable()
        FreedMemory.keep()
        var options = ClientOptions()
        options.version = mqtt == 5 ? .v5 : .v3_1_1
        return try Bridge(
            bus: bus,
            brokers: [try Broker("mqtt://127.0.0.1:\(port)", options: options)],
            routes: routes + [
                Route("ready", "ready", direction: .out, qos: .atMostOnce),
                Route("done", "done", direction: .out, qos: .atMostOnce),
            ],
            logger: Logger(label: "bridge-peer") { _ in SwiftLogNoOpLogHandler() }
        )
    }
}

/// Runs bridges for the time of `body`, which begins when all of them are ready; what they owe the broker they publish
/// before this returns.
func withRunning(_ bridges: [Bridge], body: () async throws -> Void) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        for bridge in bridges { group.addTask { try await bridge.run() } }
        for bridge in bridges { try await bridge.becomeReady() }
        try await body()
        group.cancelAll()
        try await group.waitForAll()
    }
}
