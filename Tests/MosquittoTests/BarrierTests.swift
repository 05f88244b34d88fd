import Dispatch
import TestSupport
import Testing

@testable import Mosquitto

/// What the delegate has not taken is not acknowledged. This rests on how libmosquitto works inside (2.0.11: with
/// `mosquitto_threaded_set` it only queues), so it is pinned for the library that is installed.
@Suite("the barrier", .serialized)
struct BarrierTests {
    @Test(
        "no acknowledgement leaves while the delegate works, and all leave when it is done",
        arguments: [QoS.atLeastOnce, .exactlyOnce],
        ProtocolVersion.allCases
    )
    func barrier(qos: QoS, version: ProtocolVersion) async throws {
        let count: UInt16 = 50
        let release = DispatchSemaphore(value: 0)
        let entered = Locked(0)
        let recorder = Recorder { messages in
            entered.withLock { $0 += messages.count }
            release.wait()
        }
        let early = Locked<[FakeBroker.PacketType]>([])
        let broker = try FakeBroker(timeLimit: .seconds(20)) { peer in
            try peer.accept()
            let subscribe = try peer.expectSubscribe()
            try peer.send(.suback(packetID: subscribe.packetID, reasons: [qos.rawValue]))
            for packetID in 1...count {
                try peer.send(
                    .publish(topic: "a", payload: Array("\(packetID)".utf8), qos: qos.rawValue, packetID: packetID)
                )
            }
            if qos == .exactlyOnce {
                // PUBREC says nothing about the message being taken; the delegate sees it at PUBREL.
                for _ in 1...count { try peer.expectAcknowledgement(.pubrec) }
                for packetID in 1...count { try peer.send(.pubrel(packetID: packetID)) }
            }
            while entered.withLock({ $0 }) == 0 { _ = try peer.bytesAvailable(within: .milliseconds(1)) }
            // The delegate is inside: whatever comes now comes too early.
            if try peer.bytesAvailable(within: .milliseconds(400)), let packet = try peer.read() {
                early.withLock { $0.append(packet.type) }
            }
            for _ in 1...count { release.signal() }
            let before = peer.recorded.count { $0.type == .puback || $0.type == .pubcomp }
            for _ in before..<Int(count) {
                try peer.expectAcknowledgement(qos == .atLeastOnce ? .puback : .pubcomp)
            }
            try peer.serve()
        }
        defer { for _ in 1...count { release.signal() } }
        let subscriptions = [SubscriptionRequest("a", qos: qos)]
        try await withClient(
            to: broker.url,
            options: .quick(version),
            subscriptions: subscriptions,
            recorder: recorder
        ) { _, recorder in
            #expect(
                try await recorder.received(Int(count), within: .seconds(15)).map(\.number) == Array(1...Int(count))
            )
            try await recorder.wait(for: "all acknowledgements") { _ in
                broker.count(qos == .atLeastOnce ? .puback : .pubcomp) == Int(count)
            }
        }
        #expect(early.withLock { $0 } == [])
        #expect(broker.errors.isEmpty, "\(broker.errors)")
    }

    @Test("what we publish, and pings, wait behind the barrier too, and then go out")
    func outbound() async throws {
        let release = DispatchSemaphore(value: 0)
        let inside = Locked(false)
        let recorder = Recorder { _ in
            inside.withLock { $0 = true }
            release.wait()
        }
        let early = Locked(false)
        let broker = try FakeBroker { peer in
            try peer.accept()
            try peer.send(.publish(topic: "a", qos: 1))
            while !inside.withLock({ $0 }) { _ = try peer.bytesAvailable(within: .milliseconds(1)) }
            let isEarly = try peer.bytesAvailable(within: .milliseconds(300))
            early.withLock { $0 = isEarly }
            release.signal()
            try peer.serve()
        }
        defer { release.signal() }
        try await withClient(to: broker.url, recorder: recorder) { client, _ in
            let isInside = try await eventually { inside.withLock { $0 } }
            #expect(isInside)
            let reason = try await client.publish(Message(topic: "b", qos: .atLeastOnce))
            #expect(reason == .success)
        }
        #expect(!early.withLock { $0 })
        #expect(broker.count(.puback) == 1)
    }

    @Test("what arrives together is handed over together, at most 256 at a time")
    func batches() async throws {
        let broker = try FakeBroker { peer in
            try peer.accept()
            let bytes = (0..<1_000).flatMap { number in
                FakeBroker.ServerPacket.publish(topic: "a", payload: Array("\(number)".utf8)).encode(.v5)
            }
            try peer.sendRaw(bytes)
            try peer.serve()
        }
        let largest = Locked(0)
        let recorder = Recorder { messages in largest.withLock { $0 = max($0, messages.count) } }
        try await withClient(to: broker.url, recorder: recorder) { _, recorder in
            let messages = try await recorder.received(1_000)
            #expect(messages.map(\.number) == Array(0..<1_000))
            #expect(recorder.batches < 500)
            #expect(largest.withLock { $0 } <= 256)
        }
    }

    // MARK: The window

    @Test("no more is in flight than the broker allows", arguments: [QoS.atLeastOnce, .exactlyOnce])
    func window(qos: QoS) async throws {
        let broker = try FakeBroker { peer in
            try peer.accept(properties: [.receiveMaximum(3)])
            try peer.serve { packet in packet.type == .publish ? [] : nil }
        }
        let options = ClientOptions.quick().with { $0.timeouts.drain = .milliseconds(100) }
        try await withClient(to: broker.url, options: options) { client, recorder in
            try await recorder.connected()
            #expect(recorder.connections[0].inFlightWindow == 3)
            for _ in 0..<50 { try client.enqueue(Message(topic: "a", qos: qos)) }
            #expect(try await eventually { broker.published.count == 3 })
            #expect(try await !eventually(within: .milliseconds(300)) { broker.published.count > 3 })
        }
        #expect(broker.published.count == 3)
    }

    @Test("the window moves on with each acknowledgement, whatever their order", arguments: ProtocolVersion.allCases)
    func movingWindow(version: ProtocolVersion) async throws {
        let broker = try FakeBroker { peer in
            try peer.accept()
            var waiting: [UInt16] = []
            var count = 0
            while count < 40 {
                waiting.append(try #require(try peer.expectPublish().packetID))
                count += 1
                guard waiting.count == 4 else { continue }
                if try peer.bytesAvailable(within: .milliseconds(5)) { throw FaultKitError("a fifth in flight") }
                for packetID in waiting.reversed() { try peer.send(.puback(packetID: packetID)) }
                waiting = []
            }
            try peer.serve()
        }
        let options = ClientOptions.quick(version).with { $0.limits.inFlightWindow = 4 }
        try await withClient(to: broker.url, options: options) { client, _ in
            let done = Locked(0)
            for _ in 0..<40 {
                try client.enqueue(Message(topic: "a", qos: .atLeastOnce)) { _ in done.withLock { $0 += 1 } }
            }
            #expect(try await eventually { done.withLock { $0 } == 40 })
        }
        #expect(broker.errors.isEmpty, "\(broker.errors)")
    }
}
