import Glibc
import TestSupport
import Testing

@testable import Mosquitto

@Suite("connecting", .serialized)
struct ConnectingTests {
    // MARK: Nobody there

    @Test(
        "nobody listens: refused, and tried again until somebody does",
        .needsMosquitto,
        arguments: ProtocolVersion.allCases
    )
    func refused(version: ProtocolVersion) async throws {
        let broker = try MosquittoBroker.start()
        broker.stop()
        try await withClient(to: broker.url, options: .quick(version)) { _, recorder in
            let error = try await recorder.firstFailure()
            #expect(error.code == .refused)
            #expect(error.description.hasPrefix("connect to \(broker.url): connection refused"))
            try broker.restart()
            try await recorder.connected()
        }
    }

    @Test("a host that does not exist is unknown")
    func unknownName() async throws {
        try await withClient(to: "mqtt://no-such-host.invalid") { _, recorder in
            let error = try await recorder.firstFailure()
            // Without any name service the system cannot tell.
            #expect([.nameUnknown, .nameLookupFailed].contains(error.code), "\(error)")
            #expect(error.isRetriable)
        }
    }

    @Test("the next broker of the list is taken at once", .needsMosquitto)
    func list() async throws {
        let broker = try MosquittoBroker.start()
        let nobody = try PortReservation()
        let options = ClientOptions.quick().with { $0.reconnect.backoff.shortest = .seconds(5) }
        let urls = ["mqtt://no-such-host.invalid", "mqtt://127.0.0.1:\(nobody.port)", broker.url]
        try await withClient(to: urls, options: options) { _, recorder in
            try await recorder.connected(within: .seconds(4))
            #expect(recorder.connections[0].url.port == UInt16(broker.port))
            #expect(recorder.retries.isEmpty)
        }
    }

    @Test("a peer that accepts and says nothing is given up in time", arguments: ProtocolVersion.allCases)
    func silence(version: ProtocolVersion) async throws {
        let broker = try FakeBroker { peer in while try peer.read(timeout: .seconds(20)) != nil {} }
        let options = ClientOptions.quick(version).with { $0.timeouts.connect = .milliseconds(300) }
        let begin = ContinuousClock.now
        try await withClient(to: broker.url, options: options) { _, recorder in
            let error = try await recorder.firstFailure()
            #expect(error.code == .timedOut)
            #expect(error.description.contains("no answer from the broker"))
            #expect(begin.duration(to: .now) >= .milliseconds(300))
            try await recorder.wait(for: "a second attempt") { $0.retries.count >= 2 }
        }
        broker.stop()
    }

    @Test("a peer that hangs up at once is a lost connection", arguments: [false, true])
    func hangUp(reset: Bool) async throws {
        let broker = try FakeBroker { peer in
            try peer.expectConnect()
            peer.close(reset: reset)
        }
        try await withClient(to: broker.url) { _, recorder in
            let error = try await recorder.firstFailure()
            #expect(error.code == .connectionLost)
        }
    }

    @Test(
        "a peer that speaks something else is told from a broker",
        arguments: ["HTTP/1.1 400 Bad Request\r\n\r\n", "220 mail.example ESMTP\r\n", "\0\0\0\0\0\0"]
    )
    func otherProtocol(greeting: String) async throws {
        let broker = try FakeBroker { peer in
            try peer.sendRaw(Array(greeting.utf8))
            _ = try peer.read()
        }
        let options = ClientOptions.quick().with { $0.timeouts.connect = .seconds(1) }
        try await withClient(to: broker.url, options: options) { _, recorder in
            let error = try await recorder.firstFailure()
            #expect([.protocolError, .connectionLost].contains(error.code), "\(error)")
        }
        broker.stop()
    }

    // MARK: Unix sockets

    @Test("a Unix socket works", .needsMosquitto, arguments: ProtocolVersion.allCases)
    func unix(version: ProtocolVersion) async throws {
        let broker = try MosquittoBroker.start(listener: .unixSocket)
        try await withClient(
            to: "unix://\(broker.socketPath)",
            options: .quick(version),
            subscriptions: [SubscriptionRequest("a")]
        ) { client, recorder in
            try await recorder.subscribed()
            try await client.publish(Message(topic: "a", qos: .atLeastOnce))
            try await recorder.received(1)
        }
    }

    @Test("a Unix socket that is not there is unreachable, one that nobody serves is refused")
    func noUnix() async throws {
        let folder = try TemporaryDirectory()
        try await withClient(to: "unix://\(folder.file("none"))") { _, recorder in
            let error = try await recorder.firstFailure()
            #expect(error.code == .unreachable)
        }
        let file = try folder.write("", to: "file")
        try await withClient(to: "unix://\(file)") { _, recorder in
            let error = try await recorder.firstFailure()
            #expect(error.code == .refused)
        }
    }

    // MARK: Names with several addresses

    @Test("localhost is reached whichever of its addresses listens", .needsMosquitto, arguments: ["127.0.0.1", "::1"])
    func localhost(address: String) async throws {
        let addresses = try Resolver.addresses(of: try BrokerURL("mqtt://localhost"), operation: "test").map(\.text)
        guard addresses.contains(address) else {
            print("localhost is \(addresses) here: not tried with \(address)")
            return
        }
        let port = try FreePort.next()
        let broker = try MosquittoBroker.start(
            listener: .lines { usual, _ in ["listener \(usual) 127.0.0.1", "listener \(port) \(address)"] }
        )
        try await withClient(to: "mqtt://localhost:\(port)") { _, recorder in
            try await recorder.connected()
            #expect(recorder.retries.isEmpty)
        }
        broker.stop()
    }

    @Test("an IPv6 address works", .needsMosquitto)
    func ipv6() async throws {
        let port = try FreePort.next()
        let broker: MosquittoBroker
        do {
            broker = try MosquittoBroker.start(
                listener: .lines { usual, _ in ["listener \(usual) 127.0.0.1", "listener \(port) ::1"] }
            )
        } catch  where "\(error)".contains("Cannot assign requested address") {
            print("no IPv6 here")
            return
        }
        try await withClient(to: "mqtt://[::1]:\(port)") { _, recorder in try await recorder.connected() }
        broker.stop()
    }

    // MARK: What is said in CONNECT

    @Test("CONNECT says what the options say in MQTT 5, which the library cannot be told on the straight way")
    func connect() async throws {
        let broker = try FakeBroker { try $0.serve() }
        let properties = MessageProperties(contentType: "text/plain", userProperties: [.init("a", "b")])
        let options = ClientOptions.quick(clientID: "me").with { options in
            options.session.expiry = .seconds(3_600)
            options.limits.receiveMaximum = 321
            options.limits.maximumPacketSize = 1_234_567
            options.timeouts.keepAlive = .seconds(77)
            options.username = "ann"
            options.password = .value("hunter2")
            options.will = Will(
                Message(topic: "w", payload: [1], qos: .exactlyOnce, isRetained: true, properties: properties),
                delay: .milliseconds(1_500)
            )
        }
        try await withClient(to: broker.url, options: options) { _, recorder in try await recorder.connected() }
        let connect = try #require(try broker.peers.first?.recorded.first?.connect())
        #expect(connect.protocolLevel == 5)
        #expect(connect.clientID == "me")
        #expect(!connect.cleanStart)
        #expect(connect.keepAlive == 77)
        #expect(connect.username == "ann")
        #expect(connect.password == Array("hunter2".utf8))
        #expect(connect.properties.contains(.sessionExpiry(3_600)))
        #expect(connect.properties.contains(.receiveMaximum(321)))
        #expect(connect.properties.contains(.maximumPacketSize(1_234_567)))
        #expect(connect.properties.count == 3)
        let will = try #require(connect.will)
        #expect(will.topic == "w")
        #expect(will.payload == [1])
        #expect(will.qos == 2)
        #expect(will.retain)
        #expect(will.properties.contains(.willDelay(2)))
        #expect(will.properties.contains(.contentType("text/plain")))
        #expect(will.properties.contains(.userProperty("a", "b")))
    }

    @Test("without a session CONNECT asks for a clean start, and names no expiry", arguments: ProtocolVersion.allCases)
    func cleanStart(version: ProtocolVersion) async throws {
        let broker = try FakeBroker { try $0.serve() }
        let options = ClientOptions.quick(version)
        try await withClient(to: broker.url, options: options) { _, recorder in try await recorder.connected() }
        let connect = try #require(try broker.peers.first?.recorded.first?.connect())
        #expect(connect.protocolLevel == (version == .v5 ? 5 : 4))
        #expect(connect.cleanStart)
        #expect(connect.keepAlive == 10)
        #expect(connect.username == nil && connect.password == nil && connect.will == nil)
        #expect(connect.properties == (version == .v5 ? [.receiveMaximum(1_000), .maximumPacketSize(16_777_216)] : []))
    }

    @Test("in MQTT 3.1.1 a session is asked for by not starting clean")
    func sessionBefore5() async throws {
        let broker = try FakeBroker { try $0.serve() }
        let options = ClientOptions.quick(.v3_1_1).with { $0.session.expiry = .seconds(1) }
        try await withClient(to: broker.url, options: options) { _, recorder in try await recorder.connected() }
        #expect(try broker.peers.first?.recorded.first?.connect().cleanStart == false)
    }

    // MARK: Warnings

    @Test("a password that would travel in clear to another machine is warned of")
    func clearPassword() async throws {
        let options = ClientOptions.quick().with { options in
            options.username = "ann"
            options.password = .value("hunter2")
        }
        let nobody = try PortReservation()
        let urls = ["mqtt://127.0.0.1:\(nobody.port)", "mqtt://no-such-host.invalid"]
        try await withClient(to: urls, options: options) { _, recorder in
            try await recorder.wait(for: "a round") { $0.retries.count >= 2 }
            #expect(recorder.warnings.count == 1)
            #expect(recorder.warnings[0].contains("no-such-host.invalid"))
            #expect(!recorder.warnings[0].contains("hunter2"))
        }
    }
}
