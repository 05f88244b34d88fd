import AsyncEventBus
import MessageStore
import Mosquitto
import TestSupport
import Testing

@testable import MQTTBridge

extension BridgeTests {
    @Suite("a session that is lost while nobody runs")
    struct LostSession {
        /// The numbers of losses that three runs with one store tell, the broker having the session as given.
        private func losses(_ present: [Bool], _ version: ProtocolVersion, store: MemoryStore?) async throws -> [Int] {
            var losses: [Int] = []
            for isPresent in present {
                let broker = try FakeBroker { peer in
                    try peer.serve { $0.type == .connect ? [.connack(sessionPresent: isPresent)] : nil }
                }
                let options = try Broker.quick("mqtt://127.0.0.1:\(broker.port)", version) { options in
                    options.clientID = "the-same"
                    options.session.expiry = .seconds(600)
                }
                let station = try Station([options], routes: [Route("t/{n}", "t.{n}", direction: .in)], store: store)
                try await withRunning(station) {}
                losses.append(station.reports("sessionlost").count)
            }
            return losses
        }

        @Test("it is told at the next start, and a session that is there is not", arguments: ProtocolVersion.allCases)
        func lost(version: ProtocolVersion) async throws {
            #expect(try await losses([false, true, false], version, store: MemoryStore()) == [0, 0, 1])
            #expect(try await losses([false, false], version, store: nil) == [0, 0], "nothing remembers it")
        }
    }
}
