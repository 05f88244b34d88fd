import Foundation
import Mosquitto
import TestSupport
import Testing

@Suite("how connections end through buffers")
struct LeavingTests {
    @Test(
        "what was published at QoS 0 right before the end arrives, and the will is not published",
        .needsMosquitto,
        arguments: ProtocolVersion.allCases
    )
    func will(version: ProtocolVersion) async throws {
        let count = 1_000
        let broker = try MosquittoBroker.start(configuration: "max_queued_messages 0")
        let subscriptions = [SubscriptionRequest("#", qos: .atMostOnce)]
        try await withClient(to: broker.port, subscriptions: subscriptions) { _, watcher in
            try await watcher.subscribed()
            let options = ClientOptions.quick(version) { $0.will = Will(Message(topic: "will")) }
            try await withClient(to: broker.port, options: options) { client, listener in
                try await listener.connected()
                for number in 0..<count { try client.enqueue(.numbered(number, qos: .atMostOnce)) }
            }
            // A will would come before this.
            try await withClient(to: broker.port) { client, _ in
                _ = try await client.publish(.numbered(count, topic: "behind", qos: .atLeastOnce))
            }
            try await watcher.wait(for: "the last message") { $0.messages.last?.topic == "behind" }
            #expect(watcher.numbers == Array(0...count))
            #expect(!watcher.messages.contains { $0.topic == "will" })
        }
    }

    @Test(
        "DISCONNECT comes last, behind every message, when the broker reads late",
        arguments: [QoS.atMostOnce, .atLeastOnce]
    )
    func disconnect(qos: QoS) async throws {
        let count = 2_000
        let reading = ThreadGate()
        let broker = try FakeBroker { peer in
            try peer.accept()
            reading.wait()
            try peer.serve()
        }
        defer { reading.open() }
        let options = ClientOptions.quick { $0.timeouts.drain = .seconds(30) }
        try await withClient(to: broker.port, options: options) { client, listener in
            try await listener.connected()
            for number in 0..<count { try client.enqueue(.numbered(number, qos: qos, padding: 500)) }
            reading.open()
        }
        let isOver = try await eventually(within: .seconds(30)) { broker.count(.disconnect) == 1 }
        #expect(isOver)
        #expect(broker.peers.first?.recorded.last?.type == .disconnect)
        #expect(broker.published.map { Message(topic: "", payload: $0.payload).number } == Array(0..<count))
        #expect(broker.connections == 1)
    }

    @Test(
        "a half-open connection is given up after the keep-alive, whether or not something waits to be sent",
        .needsMosquitto,
        arguments: [0, 100]
    )
    func halfOpen(waiting: Int) async throws {
        let broker = try MosquittoBroker.start()
        let proxy = try TCPProxy(to: broker.port)
        let options = ClientOptions.quick { options in
            options.timeouts.keepAlive = .seconds(5)
            options.timeouts.connect = .seconds(1)
            options.session.expiry = .seconds(60)
        }
        try await withClient(to: proxy.port, options: options, subscriptions: [SubscriptionRequest("a")]) {
            client,
            listener in
            try await listener.subscribed()
            proxy.mode = .blackHole
            let begin = ContinuousClock.now
            // 7 MB: more than the sockets take, so that the rest stays in the buffer and in the library.
            for number in 0..<waiting { try client.enqueue(.numbered(number, qos: .atLeastOnce, padding: 70_000)) }
            try await listener.wait(for: "the end of the connection") { !$0.disconnections.isEmpty }
            // The library counts in whole seconds, and it is asked at each of them.
            #expect(begin.duration(to: .now) < .seconds(12).stretched)
            #expect(listener.disconnections.map { $0?.code } == [.keepAlive])
            proxy.resetConnections()
            proxy.mode = .forward
            try await listener.connected(2)
            try await listener.wait(for: "all that waited") { Set($0.numbers) == Set(0..<waiting) }
        }
    }

    /// In a process of its own, where no other test opens or keeps anything. Each connection fills both of its buffers.
    @Test("200 connections leave as many descriptors and as much memory as before", .needsMosquitto)
    func cycles() async {
        let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            let broker = try MosquittoBroker.start()
            let message = Message(topic: "a", payload: [UInt8](repeating: 1, count: 60_000), qos: .atLeastOnce)
            func connect(_ count: Int) async throws {
                let subscriptions = [SubscriptionRequest("a")]
                for _ in 0..<count {
                    try await withClient(to: broker.port, subscriptions: subscriptions) { client, listener in
                        try await listener.subscribed()
                        _ = try await client.publish(message)
                        try await listener.wait(for: "a message") { $0.count == 1 }
                    }
                }
            }
            try await connect(20)
            let before = try await Resources.settled()
            try await connect(200)
            let after = try await Resources.settled()
            print("figures: \(before) → \(after)")
            #expect(after.descriptors <= before.descriptors)
            // What a leak of the buffers would take: 200 × 128 KiB. Sanitizers keep what was freed.
            if !Sanitizer.isOn { #expect(after.memory < before.memory + 13_000_000) }
        }
        let text = String(decoding: result?.standardOutputContent ?? [], as: UTF8.self)
        for line in text.split(separator: "\n") where line.hasPrefix("figures: ") { print(line) }
    }
}
