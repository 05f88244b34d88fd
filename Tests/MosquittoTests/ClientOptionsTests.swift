import Logging
import TestSupport
import Testing

@testable import Mosquitto

@Suite("ClientOptions")
struct ClientOptionsTests {
    private func client(
        _ url: String = "mqtt://localhost",
        subscriptions: [SubscriptionRequest] = [],
        _ change: (inout ClientOptions) -> Void = { _ in }
    ) throws -> Client {
        var options = ClientOptions()
        change(&options)
        return try Client(
            brokers: [try BrokerURL(url)],
            options: options,
            subscriptions: subscriptions,
            delegate: Recorder(),
            logger: .silent
        )
    }

    @Test("a random client identifier is short enough for every broker, and another each time")
    func randomClientID() {
        let identifiers = Set((0..<1_000).map { _ in ClientOptions.randomClientID() })
        #expect(identifiers.count == 1_000)
        for identifier in identifiers {
            #expect(identifier.utf8.count <= 23)
            #expect(identifier.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F })
        }
    }

    @Test("an identifier that was made up is known as such, until somebody chooses one")
    func generatedClientID() {
        var options = ClientOptions()
        #expect(options.isClientIDGenerated)
        #expect(!options.clientID.isEmpty)
        options.timeouts.keepAlive = .seconds(60)
        #expect(options.isClientIDGenerated)
        options.clientID = "mine"
        #expect(!options.isClientIDGenerated)
        #expect(!ClientOptions(clientID: "mine").isClientIDGenerated)
        #expect(ClientOptions(clientID: "mine").clientID == "mine")
    }

    @Test(
        "a keep-alive that libmosquitto refuses is refused at once",
        arguments: [Duration.milliseconds(100), .seconds(1), .seconds(4), .seconds(65_536)]
    )
    func keepAlive(duration: Duration) throws {
        let error = try #require(throws: ClientError.self) { try client { $0.timeouts.keepAlive = duration } }
        #expect(error.code == .unsupported)
    }

    @Test(
        "a keep-alive of none, of 5 s and of 18 h works",
        arguments: [Duration.zero, .seconds(5), .milliseconds(4_900), .seconds(65_535)]
    )
    func keepAliveBounds(duration: Duration) throws {
        _ = try client { $0.timeouts.keepAlive = duration }
    }

    @Test("options that the library would quietly cut or leave out are refused at once", arguments: 0..<8)
    func unusable(kind: Int) throws {
        let error = try #require(throws: ClientError.self) {
            try client { options in
                switch kind {
                case 0: options.clientID = ""
                case 1: options.clientID = "a\0b"
                case 2: options.clientID = String(repeating: "x", count: 65_536)
                case 3: options.username = "a\0b"
                case 4: options.username = "a\nb"
                case 5: options.limits.receiveMaximum = 0
                case 6: options.limits.maximumPacketSize = 0
                default: options.limits.inFlightWindow = 0
                }
            }
        }
        #expect(error.code == .unsupported)
        #expect(!error.isRetriable)
    }

    @Test("a will and a subscription with an illegal topic are refused at once")
    func illegalTopics() throws {
        let will = try #require(throws: ClientError.self) {
            try client { $0.will = Will(Message(topic: "a/#")) }
        }
        #expect(will.code == .invalidTopic)
        let filter = try #require(throws: ClientError.self) {
            try client(subscriptions: [SubscriptionRequest("a/#/b")])
        }
        #expect(filter.code == .invalidTopic)
    }

    @Test("a pre-shared key is refused below libmosquitto 2.0.12, with the reason")
    func preSharedKey() throws {
        let makeClient = { [self] in
            try client("mqtts://localhost") { $0.tls.preSharedKey = .init(identity: "me", key: .value("0123abcd")) }
        }
        guard Library.version < (2, 0, 12) else {
            _ = try makeClient()
            return
        }
        let error = try #require(throws: ClientError.self) { try makeClient() }
        #expect(error.code == .unsupported)
        #expect(error.description.contains("verifies nothing"))
        #expect(error.description.contains("2.0.12"))
        // Without TLS the key is not used.
        _ = try client { $0.tls.preSharedKey = .init(identity: "me", key: .value("0123abcd")) }
    }

    @Test("the version of the installed library is known")
    func version() {
        #expect(Library.version >= (2, 0, 11))
        #expect(Library.versionText.split(separator: ".").count == 3)
    }
}
