import MQTTBridge
import MQTTBridgeConfiguration
import Mosquitto
import Testing

@Suite("The schema")
struct ConfigurationSchemaTests {
    private func read(_ yaml: String, _ environment: [String: String] = [:]) throws -> BridgeConfiguration {
        try BridgeConfiguration(yaml: yaml, file: "bridge.yaml", environment: environment)
    }

    @Test("every key of a broker arrives in its options")
    func broker() throws {
        let configuration = try read(
            """
            brokers:
              home:
                urls: [mqtt://one, "mqtts://me@two:9", unix:///run/mqtt.sock]
                version: 5
                client_id: 123
                session_expiry: 7d
                keep_alive: 90s
                stall_timeout: 20s
                username: "true"
                will: {topic: a/b, payload: "x\\ny", qos: 2, retain: true, delay: 5m, content_type: text/plain, birth: on}
                metadata: cloudevents
                receive_maximum: 5
                in_flight: 6
                maximum_packet_size: 10MB
                queue: {messages: 7, bytes: 8KiB}
                drain_rate: 77
                connect_timeout: 250ms
                drain_limit: 0
                replying_within: ["answers/{bus}", "a/{rest...}"]
                reconnect: {shortest: 1s, longest: 2s, after_refused_login: 1h}
            """
        )
        let broker = try #require(configuration.brokers.first)
        let options = broker.options
        #expect(broker.name == "home")
        #expect(broker.urls.map(\.description) == ["mqtt://one:1883", "mqtts://me@two:9", "unix:///run/mqtt.sock"])
        #expect(broker.metadata == .cloudevents)
        #expect(options.version == .v5)
        #expect(options.clientID == "123")
        #expect(options.session.expiry == .seconds(7 * 86_400))
        #expect(options.timeouts.keepAlive == .seconds(90))
        #expect(options.timeouts.stall == .seconds(20))
        #expect(options.username == "true")
        let message = try #require(options.will?.message)
        #expect(message.topic == "a/b" && message.payload == Array("x\ny".utf8))
        #expect(message.qos == .exactlyOnce && message.isRetained)
        #expect(message.properties.contentType == "text/plain")
        #expect(options.will?.delay == .seconds(300))
        let birth = try #require(options.will?.birth)
        #expect(
            birth.topic == "a/b" && birth.payload == Array("on".utf8) && birth.isRetained && birth.qos == .exactlyOnce
        )
        #expect(options.limits.receiveMaximum == 5)
        #expect(options.limits.inFlightWindow == 6)
        #expect(options.limits.maximumPacketSize == 10_000_000)
        #expect(options.limits.queueCapacity == 7)
        #expect(options.limits.queueBytes == 8192)
        #expect(broker.drainRate == 77)
        #expect(broker.replyingWithin == ["answers/{bus}", "a/{rest...}"])
        #expect(options.timeouts.connect == .milliseconds(250))
        #expect(options.timeouts.drain == .zero)
        #expect(options.reconnect.backoff.shortest == .seconds(1))
        #expect(options.reconnect.backoff.longest == .seconds(2))
        #expect(options.reconnect.backoff.afterRefusedLogin == .seconds(3_600))
    }

    @Test("every key of a route and of the limits arrives, in the order of the file")
    func routes() throws {
        let configuration = try read(
            """
            brokers: {b: {url: mqtt://b}, a: {url: mqtt://a}}
            routes:
              - {topic: "$SYS/x", event: x, direction: in, broker: b, qos: 2, retain: true, name: first}
              - {topic: "a/{x}", event: "a.{x}", broker: a}
              - {topic: "c/{x}", event: "c.{x}", broker: a, retain: as-received}
            limits: {payload: 1KiB, hops: 3, repeats_per_second: 9}
            """
        )
        #expect(configuration.brokers.map(\.name) == ["b", "a"])
        #expect(
            configuration.routes == [
                Route("$SYS/x", "x", direction: .in, name: "first", broker: "b", qos: .exactlyOnce, retain: true),
                Route("a/{x}", "a.{x}", direction: .both, broker: "a"),
                Route("c/{x}", "c.{x}", direction: .both, broker: "a", retain: .asReceived),
            ]
        )
        #expect(configuration.options.maximumPayload == 1024)
        #expect(configuration.options.maximumHops == 3)
        #expect(configuration.options.repeatLimit == 9)
    }

    @Test("a file without more than a URL has the defaults")
    func defaults() throws {
        let configuration = try read("brokers: {home: {url: mqtt://localhost}}")
        let options = try #require(configuration.brokers.first?.options)
        let expected = ClientOptions()
        #expect(configuration.routes.isEmpty)
        #expect(configuration.options == BridgeOptions())
        #expect(configuration.store == nil)
        #expect(configuration.brokers[0].metadata == .automatic)
        #expect(options.clientID.hasPrefix("bridge-"))
        #expect(options.version == expected.version && options.session.expiry == expected.session.expiry)
        #expect(
            options.timeouts.keepAlive == expected.timeouts.keepAlive
                && options.reconnect.backoff == expected.reconnect.backoff
        )
        #expect(options.username == nil && options.password == nil && options.will == nil)
        #expect(options.tls.trust == .system && !options.tls.dangerouslySkipVerification)
    }

    @Test("the version may be spelled as a number or a text", arguments: ["3.1.1", "\"3.1.1\"", "5", "'5'", "5.0"])
    func version(spelling: String) throws {
        let configuration = try read("brokers: {home: {url: mqtt://localhost, version: \(spelling)}}")
        #expect(configuration.brokers[0].options.version == (spelling.contains("3") ? .v3_1_1 : .v5))
    }

    @Test("a route without a broker belongs to the only one")
    func onlyBroker() throws {
        let configuration = try read("brokers: {x: {url: mqtt://h}}\nroutes: [{topic: a, event: b}]")
        #expect(configuration.routes == [Route("a", "b", broker: "x")])
    }

    @Test("JSON is YAML, with a byte order mark as well")
    func json() throws {
        let json = #"""
            {
            \t"brokers": { "home": { "url": "mqtt:\/\/localhost", "keep_alive": "45s" } },
            \t"routes": [ { "topic": "\u00e9/{x}", "event": "e.{x}", "qos": 0, "retain": false } ]
            }
            """#.replacing("\\t", with: "\t")
        for text in [json, "\u{FEFF}" + json] {
            let configuration = try read(text)
            #expect(configuration.brokers[0].urls.map(\.host) == ["localhost"])
            #expect(configuration.brokers[0].options.timeouts.keepAlive == .seconds(45))
            #expect(configuration.routes == [Route("é/{x}", "e.{x}", broker: "home", qos: .atMostOnce)])
        }
        let broken = json.replacing("45s", with: "45")
        #expect(problems(broken).map(\.place) == [[2, 68]])
        #expect(problems("\u{FEFF}{\"brokers\": 1}").map(\.place) == [[1, 13]])
    }
}
