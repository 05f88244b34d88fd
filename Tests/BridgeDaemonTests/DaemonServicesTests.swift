import AsyncEventBus
import Logging
import MQTTBridge
import MessageStore
import Mosquitto
import ServiceLifecycle
import TestSupport
import Testing

@testable import BridgeDaemon

@Suite("The services of the daemon")
struct DaemonServicesTests {
    private static let error = StoreError(.damaged, operation: "open the store", detail: "made to fail")

    /// A bridge that fails before it is ready, some steps after the notice has heard of that.
    private struct FailingBridge: Service {
        let steps: Int
        let isKnown = Gate()

        func run() async throws {
            await isKnown.pass()
            for _ in 0..<steps { await Task.yield() }
            throw DaemonServicesTests.error
        }

        func becomeReady() async throws {
            isKnown.open()
            throw DaemonServicesTests.error
        }
    }

    @Test(
        "the error of a bridge that ends before it is ready is the daemon's, whatever else runs",
        arguments: [0, 10, 1_000, 100_000]
    )
    func errorOfTheBridge(steps: Int) async throws {
        // Standard input on which nothing comes.
        let (reading, writing) = try PipeEnd.pair()
        defer { writing.close() }
        let bridge = FailingBridge(steps: steps)
        let bus = EventBus(name: "daemon")
        let services = DaemonServices(
            bridge: bridge,
            ready: ReadyNotice(setup: Setup(brokers: [], routes: [], options: BridgeOptions())) {
                try await bridge.becomeReady()
            },
            output: OutputWatch(output: EventOutput(format: .text), countdown: EndWatch.Countdown()),
            input: StandardInputService(bus: bus, answers: nil, descriptor: reading.number)
        )
        let thrown = await #expect(throws: StoreError.self) {
            try await withTimeLimit(.seconds(30), "the daemon ends") {
                try await services.group(logger: .silent).run()
            }
        }
        #expect(thrown?.code == Self.error.code && thrown?.detail == Self.error.detail)
    }
}
