import AsyncEventBus
import Mosquitto
import Testing

@testable import MQTTBridge

@Suite("WireFormat")
struct WireFormatTests {
    struct Mode: Sendable, CustomTestStringConvertible {
        let version: ProtocolVersion
        let metadata: Metadata

        static let all = ProtocolVersion.allCases.flatMap { version in
            Metadata.allCases.map { Mode(version: version, metadata: $0) }
        }

        var format: WireFormat { WireFormat(version: version, metadata: metadata) }
        var testDescription: String { "MQTT \(version.rawValue), \(metadata.rawValue)" }
    }

    private let event = Event(
        id: EventID(source: "bus-1", tag: "17"),
        name: "a.b",
        payload: Payload([0, 0xFF, 0x7B]),
        time: Timestamp(nanoseconds: 1_767_225_600_123_456_000),
        origin: EventOrigin(bus: "bus-1", hops: 4),
        attributes: EventAttributes(
            contentType: "x/y",
            headers: [.init("one", "1"), .init("two", "2"), .init("one", "3")],
            timeToLive: .seconds(60),
            correlation: [1, 0, 2],
            replyTo: "reply/here"
        )
    )

    @Test("what a mode can carry comes back", arguments: Mode.all)
    func roundTrip(mode: Mode) {
        let message = mode.format.encode(
            event,
            topic: "a/b",
            qos: .exactlyOnce,
            retain: true,
            replyTopic: "reply/here"
        )
        #expect(message.topic == "a/b")
        #expect(message.qos == .exactlyOnce)
        #expect(message.isRetained)
        #expect(mode.version == .v5 || message.properties == MessageProperties())
        #expect(message.properties.userProperties.isEmpty || mode.metadata != .envelope)
        let decoded = mode.format.decode(message)
        #expect(decoded.payload == event.payload.bytes)
        #expect(decoded.id == (mode.format.carriesIdentity ? event.id : nil))
        #expect(decoded.origin == (mode.format.carriesIdentity ? "bus-1" : nil))
        #expect(decoded.hops == (mode.format.carriesIdentity ? 5 : 0))
        #expect(decoded.time == ([.cloudevents, .envelope].contains(mode.metadata) ? event.time : nil))
        switch (mode.version, mode.metadata) {
        case (.v5, .minimal), (.v5, .cloudevents), (.v5, .none): #expect(decoded.attributes == event.attributes)
        case (_, .cloudevents), (_, .envelope):
            #expect(decoded.attributes.timeToLive == (mode.version == .v5 ? .seconds(60) : nil))
            #expect(decoded.attributes.contentType == "x/y")
            #expect(decoded.attributes.headers.map(\.name) == ["one", "two"])
            #expect(decoded.attributes.replyTo == "reply/here" && decoded.attributes.correlation == [1, 0, 2])
        default: #expect(decoded.attributes == EventAttributes())
        }
    }

    @Test("without a topic for responses none is said, whatever name the event has for them", arguments: Mode.all)
    func noReplyTopic(mode: Mode) {
        let message = mode.format.encode(event, topic: "a/b", qos: .exactlyOnce, retain: true)
        #expect(mode.format.decode(message).attributes.replyTo == nil)
    }

    @Test(
        "plain payloads are the bytes themselves",
        arguments: Mode.all.filter { ![.cloudevents, .envelope].contains($0.metadata) }
    )
    func plain(mode: Mode) {
        #expect(mode.format.encode(event, topic: "t", qos: .atMostOnce, retain: false).payload == event.payload.bytes)
    }

    @Test("what is text is text on the other side of MQTT 5, unless its bytes say that it is none")
    func text() {
        let format = WireFormat(version: .v5, metadata: .minimal)
        for (payload, isClaimed, isText) in [("21 °C", true, true), ("21 °C", false, false), (nil, true, false)] {
            let event = Event(
                id: EventID(source: "bus-1", tag: "18"),
                name: "a.b",
                payload: payload.map { Payload($0) } ?? Payload([0x32, 0xB0]),
                origin: EventOrigin(bus: "bus-1"),
                attributes: EventAttributes(isText: isClaimed)
            )
            let message = format.encode(event, topic: "t", qos: .atMostOnce, retain: false)
            #expect(message.properties.isText == isClaimed)
            #expect(format.decode(message).attributes.isText == isText)
        }
        let old = WireFormat(version: .v3_1_1, metadata: .none)
        #expect(!old.decode(old.encode(event, topic: "t", qos: .atMostOnce, retain: false)).attributes.isText)
    }

    @Test("a header that would pass for the identity does not travel", arguments: Mode.all.filter { $0.version == .v5 })
    func harmlessHeaders(mode: Mode) {
        let headers = [PropertyName.id, PropertyName.origin, PropertyName.hops, PropertyName.eventID, "mine"]
        let forging = Event(
            id: event.id,
            name: "a.b",
            payload: "x",
            origin: event.origin,
            attributes: EventAttributes(headers: headers.map { .init($0, "other-1/5") })
        )
        let message = mode.format.encode(forging, topic: "t", qos: .atMostOnce, retain: false)
        #expect(mode.format.decode(message).id == (mode.format.carriesIdentity ? event.id : nil))
        let carried = mode.format.decode(message).attributes.headers
        #expect(carried.contains { $0.name == "mine" && $0.value == "other-1/5" })
        #expect(
            message.properties.userProperties.count { $0.name == PropertyName.id }
                == (mode.metadata == .minimal ? 1 : 0)
        )
    }

    @Test("headers stay in order, and come before what is ours")
    func order() {
        let message = WireFormat(version: .v5, metadata: .minimal).encode(
            event,
            topic: "t",
            qos: .atMostOnce,
            retain: false
        )
        #expect(
            message.properties.userProperties == [
                .init("one", "1"), .init("two", "2"), .init("one", "3"), .init("bridgeid", "bus-1/17"),
                .init("bridgehops", "5"),
            ]
        )
        let bare = WireFormat(version: .v5, metadata: .none).encode(event, topic: "t", qos: .atMostOnce, retain: false)
        #expect(bare.properties.userProperties.map(\.name) == ["one", "two", "one"])
    }

    @Test(
        "numbers of hops that others write are kept within bounds",
        arguments: [
            ("3", 3), ("0", 0), ("-1", 0), ("1000", 1_000), ("9223372036854775807", 1_000),
            ("9223372036854775808", 0), ("x", 0), ("", 0), ("1.5", 0), (" 1", 0),
        ]
    )
    func hops(text: String, hops: Int) {
        let message = Message(
            topic: "t",
            properties: MessageProperties(userProperties: [.init("bridgehops", text)])
        )
        #expect(WireFormat(version: .v5, metadata: .minimal).decode(message).hops == hops)
    }

    @Test("the first hop goes without saying: an identity without a number of hops has passed one bridge")
    func firstHop() {
        let format = WireFormat(version: .v5, metadata: .minimal)
        let first = Event(
            id: EventID(source: "bus-1", tag: "17"),
            name: "a",
            payload: "x",
            origin: EventOrigin(bus: "bus-1")
        )
        let message = format.encode(first, topic: "t", qos: .atMostOnce, retain: false)
        #expect(message.properties.userProperties == [.init("bridgeid", "bus-1/17")])
        let decoded = format.decode(message)
        #expect(decoded.hops == 1 && decoded.id == first.id)
        #expect(format.decode(Message(topic: "t", properties: .init(userProperties: [.init("a", "b")]))).hops == 0)
    }

    @Test(
        "an identity needs both of its halves",
        arguments: ["x", "/x", "x/", "/", "", "x/%", "x/%2", "x/%41", "x/%2f"]
    )
    func halves(text: String) {
        let properties = [MessageProperties.UserProperty("bridgeid", text), .init("h", "v")]
        let message = Message(topic: "t", properties: MessageProperties(userProperties: properties))
        let decoded = WireFormat(version: .v5, metadata: .minimal).decode(message)
        #expect(decoded.id == nil && decoded.origin == nil)
        #expect(decoded.attributes.headers == [.init("h", "v")])
    }

    @Test(
        "an identity is one text, whatever its halves hold, and comes back byte by byte",
        arguments: [
            ("bus", "17", "bus/17"), ("a/b", "0", "a/b/0"), ("a", "b/c", "a/b%2Fc"), ("a%2F", "%2F%", "a%2F/%252F%25"),
            ("bus", "18446744073709551615", "bus/18446744073709551615"), ("bus", "017", "bus/017"),
            ("é", "e\u{301}/\u{301}", "é/e\u{301}%2F\u{301}"), ("/", "/", "//%2F"), (" ", "\u{0}", " /\u{0}"),
        ]
    )
    func wireText(source: String, tag: String, text: String) throws {
        let id = EventID(source: source, tag: tag)
        #expect(Array(id.wireText.utf8) == Array(text.utf8))
        let read = try #require(EventID(wireText: text))
        #expect(read == id)
        #expect(Array(read.source.utf8) == Array(source.utf8) && Array(read.tag.utf8) == Array(tag.utf8))
    }

    @Test("which modes carry an identity, and which need the echo window")
    func modes() throws {
        let carrying = Mode.all.filter(\.format.carriesIdentity).map(\.testDescription)
        #expect(
            carrying == [
                "MQTT 3.1.1, cloudevents", "MQTT 3.1.1, envelope", "MQTT 5, minimal", "MQTT 5, cloudevents",
                "MQTT 5, envelope",
            ]
        )
        let echoing = Mode.all.filter(\.format.needsEchoWindow).map(\.testDescription)
        #expect(echoing == ["MQTT 3.1.1, minimal", "MQTT 3.1.1, none"])
        var broker = try Broker("mqtt://localhost")
        #expect(broker.wireFormat.metadata == .minimal)
        broker.options.version = .v3_1_1
        #expect(broker.wireFormat.metadata == .none)
        broker.metadata = .cloudevents
        #expect(broker.wireFormat.metadata == .cloudevents)
        #expect(try Broker("mqtt://localhost", metadata: .none).wireFormat.metadata == .none)
    }
}
