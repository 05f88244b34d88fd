import AsyncEventBus
import Foundation
import Logging
import MQTTBridge
import Mosquitto
import SQLiteStore

/// A gateway for a test to kill: `three-listeners URL STORE`. One listener is quick, one is slow, one fails; each says what
/// it does, as LISTENER PAYLOAD ATTEMPT.
@main
enum ThreeListeners {
    private struct Failure: Error {}

    static func main() async throws {
        var options = ClientOptions(clientID: "three-listeners")
        options.session.expiry = .seconds(3_600)
        let broker = Broker([try BrokerURL(CommandLine.arguments[1])], options: options)
        let bus = EventBus(name: "test")
        try bus.on("t.*", durable: "quick", delivery: .serial) { say("quick", $0) }
        try bus.on("t.*", durable: "slow", delivery: .serial) { event in
            try await Task.sleep(for: .milliseconds(100))
            say("slow", event)
        }
        let retry = RetryPolicy(attempts: 3, shortest: .milliseconds(100), longest: .milliseconds(200))
        try bus.on("t.*", durable: "failing", .retry(retry)) { event in
            say("failing", event)
            throw Failure()
        }
        let bridge = try Bridge(
            bus: bus,
            brokers: [broker],
            routes: [Route("t/{n}", "t.{n}", direction: .in)],
            store: try SQLiteStore.open(SQLiteStoreOptions(path: CommandLine.arguments[2])),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        async let run: Void = bridge.run()
        try await bridge.becomeReady()
        write("ready")
        try await run
    }

    private static func say(_ listener: String, _ event: Event) {
        write("\(listener) \(event.payload.text ?? "") \(event.attempt)")
    }

    private static func write(_ line: String) {
        FileHandle.standardOutput.write(Data("\(line)\n".utf8))
    }
}
