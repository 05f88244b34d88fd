import TestSupport
import Testing

@testable import Mosquitto

@Suite("answers that do not come")
struct StallTests {
    /// A broker that leaves out one kind of answer on its first connection, and all of them are there on the second.
    private static func broker(withholding type: FakeBroker.PacketType) throws -> FakeBroker {
        let isFirst = Locked(true)
        return try FakeBroker { peer in
            let withholds = isFirst.withLock { isFirst in
                defer { isFirst = false }
                return isFirst
            }
            try peer.serve { withholds && $0.type == type ? [] : nil }
        }
    }

    private static func options(_ version: ProtocolVersion) -> ClientOptions {
        .quick(version).with { $0.timeouts.stall = .milliseconds(1_500) }
    }

    @Test(
        "each is named, and the new connection goes on with what waited",
        arguments: [
            (FakeBroker.PacketType.connect, Stall.Hop.connack), (.subscribe, .suback), (.publish, .puback),
        ],
        ProtocolVersion.allCases
    )
    func withheld(answer: (to: FakeBroker.PacketType, hop: Stall.Hop), version: ProtocolVersion) async throws {
        let broker = try Self.broker(withholding: answer.to)
        let subscriptions = [SubscriptionRequest("a")]
        try await withClient(to: broker.url, options: Self.options(version), subscriptions: subscriptions) {
            client,
            recorder in
            // Where SUBACK is left out, the acknowledgement comes all the same.
            try await client.publish(Message(topic: "a", qos: .atLeastOnce))
            try await recorder.subscribed()
            #expect(recorder.stalls.map(\.hop) == [answer.hop])
            #expect(recorder.stalls[0].waiting == (answer.hop == .suback ? 0 : 1))
            try await recorder.wait(for: "the end of the stall") { $0.recoveries == [answer.hop] }
            let errors = recorder.disconnections.compactMap { $0 } + recorder.retries.map(\.error)
            #expect(errors.contains { $0.code == .stalled && $0.detail.contains("\(answer.hop)") })
        }
        #expect(broker.connections == 2)
    }

    @Test("one that is left out beside others that come is named", arguments: ProtocolVersion.allCases)
    func leftOut(version: ProtocolVersion) async throws {
        let broker = try FakeBroker { peer in
            try peer.serve { packet in
                switch packet.type {
                case .publish: []
                default: nil
                }
            }
        }
        let options = Self.options(version).with { $0.timeouts.stall = .seconds(2) }
        try await withClient(to: broker.url, options: options) { client, recorder in
            try client.enqueue(Message(topic: "a", qos: .atLeastOnce))
            try await recorder.wait(for: "a stall") { !$0.stalls.isEmpty }
            #expect(recorder.stalls.map(\.hop) == [.puback])
        }
    }

    @Test("a slow and delayed line is none, and neither is a window of one", arguments: ProtocolVersion.allCases)
    func slowLine(version: ProtocolVersion) async throws {
        let properties: [FakeBroker.Property] = version == .v5 ? [.receiveMaximum(1)] : []
        let broker = try FakeBroker { peer in
            try peer.accept(properties: properties)
            try peer.serve()
        }
        let proxy = try TCPProxy(to: broker.port)
        proxy.conditions = .init(delay: .milliseconds(500), jitter: .milliseconds(200), bytesPerSecond: 10_000)
        let options = Self.options(version).with { $0.timeouts.stall = .seconds(4) }
        try await withClient(to: proxy.url, options: options) { client, recorder in
            try await client.publish(
                Message(topic: "a", payload: Array(repeating: 1, count: 10_000), qos: .atLeastOnce)
            )
            for _ in 0..<2 { try await client.publish(Message(topic: "a", qos: .atLeastOnce)) }
            #expect(recorder.stalls.isEmpty)
            #expect(recorder.disconnections.isEmpty)
        }
    }

    @Test("a peer that takes no bytes is named", arguments: ProtocolVersion.allCases)
    func zeroWindow(version: ProtocolVersion) async throws {
        let broker = try FakeBroker { try $0.serve() }
        let proxy = try TCPProxy(to: broker.port)
        try await withClient(to: proxy.url, options: Self.options(version)) { client, recorder in
            try await recorder.connected()
            proxy.mode = .blackHole
            let payload = [UInt8](repeating: 1, count: 1_000_000)
            for _ in 0..<30 { try client.enqueue(Message(topic: "a", payload: payload, qos: .atLeastOnce)) }
            try await recorder.wait(for: "a stall") { !$0.stalls.isEmpty }
            #expect(recorder.stalls.map(\.hop) == [.write])
        }
    }
}
