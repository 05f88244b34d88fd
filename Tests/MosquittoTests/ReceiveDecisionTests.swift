import Dispatch
import TestSupport
import Testing

@testable import Mosquitto

/// What a delegate refuses stays with the broker. This rests on how libmosquitto works inside (2.0.11: what it has
/// queued leaves only with a write), so it is pinned for the library that is installed.
@Suite("messages that are refused", .serialized)
struct IntakeTests {
    private static let subscriptions = [SubscriptionRequest("a")]

    /// Refuses as long as it is closed.
    private final class Doorkeeper: Sendable {
        private let state = Locked((isOpen: false, refused: 0))

        var refused: Int { state.withLock { $0.refused } }

        func open() { state.withLock { $0.isOpen = true } }

        func close() { state.withLock { $0.isOpen = false } }

        func decide(_ messages: [Message]) -> ReceiveDecision {
            state.withLock { state in
                if !state.isOpen { state.refused += messages.count }
                return state.isOpen ? .acknowledge : .refuse
            }
        }
    }

    private static func options(_ version: ProtocolVersion, clientID: String = "keeper") -> ClientOptions {
        .quick(version, clientID: clientID).with { $0.session.expiry = .seconds(600) }
    }

    @Test(
        "no byte leaves after a refusal, the connection ends, and on resuming they come again",
        arguments: ProtocolVersion.allCases
    )
    func refuse(version: ProtocolVersion) async throws {
        let broker = try FakeBroker { peer in
            try peer.accept(sessionPresent: peer.index > 0)
            let subscribe = try peer.expectSubscribe()
            // All at once, so that some are handed over before the others are read.
            let replies =
                [.suback(packetID: subscribe.packetID, reasons: [1])]
                + (1...3).map { number in
                    FakeBroker.ServerPacket.publish(
                        topic: "a",
                        payload: Array("\(number)".utf8),
                        qos: 1,
                        packetID: UInt16(number),
                        dup: peer.index > 0
                    )
                }
            try peer.sendRaw(replies.flatMap { $0.encode(peer.version) })
            if peer.index == 0 { try peer.expectEnd() } else { try peer.serve() }
        }
        let keeper = Doorkeeper()
        try await withClient(
            to: broker.url,
            options: Self.options(version),
            subscriptions: Self.subscriptions,
            recorder: .deciding(keeper.decide)
        ) { client, recorder in
            try await recorder.parked()
            #expect(recorder.parks == [.refused])
            #expect(recorder.disconnections == [nil])
            #expect(try await !eventually(within: .milliseconds(200)) { broker.connections > 1 })
            #expect(keeper.refused > 0)
            #expect(recorder.acknowledgements == 0)
            #expect(broker.count(.puback) == 0)
            keeper.open()
            client.resume()
            #expect(try await recorder.received(3).map(\.number) == [1, 2, 3])
            #expect(recorder.resumptions == 1)
            #expect(recorder.retries.isEmpty)
            #expect(try await eventually { broker.count(.puback) == 3 })
        }
        #expect(broker.connections == 2)
        #expect(broker.errors.isEmpty, "\(broker.errors)")
    }

    @Test(
        "a real broker keeps what is refused, and sends it again in order",
        .needsMosquitto,
        arguments: ProtocolVersion.allCases
    )
    func session(version: ProtocolVersion) async throws {
        let broker = try MosquittoBroker.start()
        let keeper = Doorkeeper()
        try await withClient(
            to: broker.url,
            options: Self.options(version),
            subscriptions: Self.subscriptions,
            recorder: .deciding(keeper.decide)
        ) { client, recorder in
            try await recorder.subscribed()
            try await withClient(to: broker.url) { publisher, _ in
                for number in 0..<200 {
                    // Three times the storage fails, in the middle of the stream.
                    if [50, 100, 150].contains(number) { keeper.close() } else if number == 0 { keeper.open() }
                    try await publisher.publish(
                        Message(topic: "a", payload: Array("\(number)".utf8), qos: .atLeastOnce)
                    )
                    guard [70, 120, 170].contains(number) else { continue }
                    try await recorder.parked(number / 50)
                    keeper.open()
                    client.resume()
                    try await recorder.connected(number / 50 + 1)
                }
            }
            #expect(try await recorder.received(200).map(\.number) == Array(0..<200))
            #expect(recorder.parks == [.refused, .refused, .refused])
            #expect(recorder.connections.map(\.sessionPresent) == [false, true, true, true])
            #expect(recorder.sessionsLost == 0)
        }
    }

    @Test("who asks to go on while messages are refused is not left waiting")
    func race() async throws {
        let broker = try FakeBroker { peer in
            try peer.accept()
            try peer.send(.publish(topic: "a", payload: Array("1".utf8), qos: 1))
            try peer.serve()
        }
        let clients = Locked<[Client]>([])
        let refusals = Locked(0)
        let recorder = Recorder.deciding { _ in
            guard
                refusals.withLock({
                    $0 += 1; return $0
                }) == 1
            else { return .acknowledge }
            clients.withLock { $0 }.first?.resume()
            return .refuse
        }
        let held = try Client(brokers: [BrokerURL(broker.url)], options: .quick(), delegate: recorder, logger: .silent)
        clients.withLock { $0 = [held] }
        let run = Task { try await held.run() }
        try await recorder.received(1)
        #expect(recorder.parks == [.refused])
        #expect(recorder.resumptions == 1)
        run.cancel()
        try await withTimeLimit(.seconds(30), "run() returns") { try await run.value }
        clients.withLock { $0 = [] }
    }

    @Test("a client that is parked ends at once, and says once that it is disconnected")
    func end() async throws {
        let broker = try FakeBroker { peer in
            try peer.accept()
            try peer.send(.publish(topic: "a", qos: 1))
            try peer.expectEnd()
        }
        let recorder = Recorder.deciding { _ in .refuse }
        let completed = Locked<[ClientError.Code]>([])
        let options = Self.options(.v5).with { $0.timeouts.drain = .seconds(60) }
        try await withClient(to: broker.url, options: options, recorder: recorder) { client, recorder in
            try await recorder.parked()
            try client.enqueue(Message(topic: "b", qos: .atLeastOnce)) { result in
                if case .failure(let error) = result { completed.withLock { $0.append(error.code) } }
            }
        }
        #expect(recorder.disconnections == [nil])
        #expect(completed.withLock { $0 } == [.notRunning])
        #expect(broker.errors.isEmpty, "\(broker.errors)")
    }

    // MARK: Acknowledgements

    @Test(
        "that acknowledgements are written is told when the peer has them, and not before",
        arguments: ProtocolVersion.allCases
    )
    func written(version: ProtocolVersion) async throws {
        let release = DispatchSemaphore(value: 0)
        let inside = Locked(false)
        let recorder = Recorder { _ in
            inside.withLock { $0 = true }
            release.wait()
        }
        let early = Locked(0)
        let broker = try FakeBroker { peer in
            try peer.accept()
            try peer.send(.publish(topic: "a", qos: 1))
            while !inside.withLock({ $0 }) { _ = try peer.bytesAvailable(within: .milliseconds(1)) }
            early.withLock { $0 = recorder.acknowledgements }
            release.signal()
            let deadline = ContinuousClock.now + .seconds(5)
            while recorder.acknowledgements == 0, ContinuousClock.now < deadline {}
            // It was told: whatever is still on its way now was told too early.
            guard try peer.bytesAvailable(within: .zero) else { throw FaultKitError("told before it was written") }
            try peer.expectAcknowledgement()
            try peer.serve()
        }
        defer { release.signal() }
        try await withClient(to: broker.url, options: .quick(version), recorder: recorder) { _, recorder in
            try await recorder.wait(for: "acknowledgements written") { $0.acknowledgements == 1 }
            try await recorder.wait(for: "them at the broker") { _ in broker.count(.puback) == 1 }
        }
        #expect(early.withLock { $0 } == 0)
        #expect(recorder.acknowledgements == 1)
        #expect(broker.errors.isEmpty, "\(broker.errors)")
    }
}
