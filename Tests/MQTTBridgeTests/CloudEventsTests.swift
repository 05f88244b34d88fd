import AsyncEventBus
import Foundation
import Mosquitto
import Testing

@testable import MQTTBridge
import TestSupport

@Suite("CloudEvents")
struct CloudEventsTests {
    private let old = WireFormat(version: .v3_1_1, metadata: .cloudevents)

    private func event(_ payload: Payload, type: String? = nil, headers: [EventAttributes.Header] = []) -> Event {
        Event(
            id: EventID(source: "bus-1", tag: "17"),
            name: "climate.kitchen",
            payload: payload,
            time: Timestamp(nanoseconds: 1_767_225_600_123_456_000),
            origin: EventOrigin(bus: "bus-1", hops: 2),
            attributes: EventAttributes(contentType: type, headers: headers)
        )
    }

    private func envelope(_ event: Event) throws -> [String: Any] {
        let object = try JSONSerialization.jsonObject(with: Data(CloudEvents.structured(event)))
        return try #require(object as? [String: Any])
    }

    // MARK: Structured mode

    @Test(
        "payload, identity, time, hops and headers survive an envelope",
        arguments: [
            ("text", nil), ("", nil), ("text", "text/plain"), ("{\"a\": 1.10, \"b\":[null]}", "application/json"),
            ("\"a string\"", "application/json"), ("12345678901234567890", "application/vnd.x+json; charset=utf-8"),
            ("{broken", "application/json"), ("\u{feff}{}", "application/json"), ("true", nil),
            ("\"quoted\"", "text/plain"),
            ("\u{0}\u{1b}é\u{2028}\"\\", nil),
        ] as [(String, String?)]
    )
    func textRoundTrip(text: String, type: String?) throws {
        try roundTrip(event(Payload(text), type: type, headers: [.init("unit", "°C"), .init("subject", "s")]))
    }

    @Test("any bytes survive an envelope under any type", arguments: Seed.fresh(2))
    func binaryRoundTrip(seed: Seed) throws {
        var random = seed.random
        for _ in 0..<200 {
            let bytes =
                random.chance(1, in: 2)
                ? (0..<random.below(20)).map { _ in UInt8(random.below(256)) }
                : random.bytes(random.below(8), from: "{}[]\",:1 a\\")
            try roundTrip(
                event(Payload(bytes), type: random.pick([nil, "application/json", "text/plain", "x/y+json"]))
            )
        }
        for type in [nil, "application/json"] {
            try roundTrip(event(Payload([0x22, 0xFF, 0x22]), type: type))
            try roundTrip(event(Payload(Array("\"a\"".utf16.flatMap { [UInt8($0), 0] })), type: type))
        }
    }

    private func roundTrip(_ event: Event) throws {
        let bytes = CloudEvents.structured(event)
        _ = try JSONSerialization.jsonObject(with: Data(bytes))
        let decoded = try #require(CloudEvents.decode(bytes))
        // A JSON value keeps its bytes but for the space around it, which belongs to the envelope.
        #expect(trimmed(decoded.payload) == trimmed(event.payload.bytes), "\(event.payload.bytes)")
        #expect(decoded.attributes.contentType == event.attributes.contentType)
        #expect(decoded.attributes.headers == event.attributes.headers.sorted { $0.name < $1.name })
        #expect(decoded.id == event.id)
        #expect(decoded.origin == event.origin.bus)
        #expect(decoded.hops == event.origin.hops + 1)
        #expect(decoded.time == event.time)
    }

    private func trimmed(_ bytes: [UInt8]) -> [UInt8] {
        guard JSONText.isValid(bytes) else { return bytes }
        var scanner = JSONScanner(bytes)
        return scanner.document().map(Array.init) ?? bytes
    }

    @Test("an envelope is what the specification asks for")
    func members() throws {
        let headers = [
            EventAttributes.Header("unit", "C"), .init("unit", "F"), .init("Upper", "no"), .init("id", "no"),
            .init("data", "no"), .init("", "no"),
        ]
        let read = try envelope(event("{\"t\": 21.5}", type: "application/json", headers: headers))
        #expect(read["specversion"] as? String == "1.0")
        #expect(read["id"] as? String == "17")
        #expect(read["source"] as? String == "bus-1")
        #expect(read["type"] as? String == "climate.kitchen")
        #expect(read["time"] as? String == "2026-01-01T00:00:00.123456Z")
        #expect(read["datacontenttype"] as? String == "application/json")
        #expect((read["data"] as? [String: Double]) == ["t": 21.5])
        #expect(read["bridgehops"] as? Int == 3)
        #expect(read["unit"] as? String == "C")
        #expect(Set(read.keys).isDisjoint(with: ["Upper", "bridgeorigin", "data_base64", ""]))
        #expect(try envelope(event(Payload([0xFF])))["data_base64"] as? String == "/w==")
    }

    @Test("the bus an event first entered travels where it is not its source")
    func origin() throws {
        let foreign = Event(
            id: EventID(source: "/sensors", tag: "A-1"),
            name: "x",
            payload: "p",
            origin: EventOrigin(bus: "bus-9")
        )
        #expect(try envelope(foreign)["bridgeorigin"] as? String == "bus-9")
        #expect(CloudEvents.decode(CloudEvents.structured(foreign))?.origin == "bus-9")
    }

    // MARK: Of others

    @Test("envelopes of the specification are understood")
    func foreignStructured() throws {
        // CloudEvents 1.0.2, JSON format, sections 3.2 and 2.4, and the MQTT binding.
        let json = try #require(
            CloudEvents.decode(
                Array(
                    """
                    {
                        "specversion" : "1.0",
                        "type" : "com.example.someevent",
                        "source" : "/mycontext",
                        "subject": null,
                        "id" : "C234-1234-1234",
                        "time" : "2018-04-05T17:31:00Z",
                        "comexampleextension1" : "value",
                        "comexampleothervalue" : 5,
                        "datacontenttype" : "application/json",
                        "data" : {
                            "appinfoA" : "abc",
                            "appinfoC" : true
                        }
                    }
                    """.utf8
                )
            )
        )
        #expect(json.id == EventID(source: "/mycontext", tag: "C234-1234-1234"))
        #expect(json.time == Timestamp(nanoseconds: 1_522_949_460_000_000_000))
        #expect(json.attributes.contentType == "application/json")
        #expect(json.attributes[header: "comexampleextension1"] == "value")
        #expect(json.attributes[header: "comexampleothervalue"] == "5")
        #expect(json.hops == 0)
        let object = try JSONSerialization.jsonObject(with: Data(json.payload)) as? [String: Any]
        #expect(object?["appinfoA"] as? String == "abc")

        let xml = #"{"specversion":"1.0","type":"t","source":"/s","id":"1","datacontenttype":"application/xml","#
        #expect(
            CloudEvents.decode(Array((xml + #""data":"<much wow=\"xml\"/>"}"#).utf8))?.payload
                == Array("<much wow=\"xml\"/>".utf8)
        )
        let binary = #"{"specversion":"1.0","type":"t","source":"/s","id":"1","data_base64":"AAEC/w=="}"#
        #expect(CloudEvents.decode(Array(binary.utf8))?.payload == [0, 1, 2, 255])
        #expect(
            CloudEvents.decode(Array(#"{"specversion":"1.0","type":"t","source":"/s","id":"1"}"#.utf8))?.payload == []
        )
    }

    @Test("a message in binary mode is understood, its extensions are headers")
    func foreignBinary() {
        let message = Message(
            topic: "t",
            payload: Array("{}".utf8),
            properties: MessageProperties(
                contentType: "application/json; charset=utf-8",
                userProperties: [
                    .init("specversion", "1.0"), .init("type", "com.example.someevent"),
                    .init("time", "2018-04-05T03:56:24.5+02:00"), .init("id", "1234-1234-1234"),
                    .init("source", "/mycontext/subcontext"), .init("subject", "s"), .init("ext", "1"),
                    .init("ext", "2"),
                ]
            )
        )
        for metadata in Metadata.allCases {
            let decoded = WireFormat(version: .v5, metadata: metadata).decode(message)
            let isBelieved = metadata != .none
            #expect(decoded.id == (isBelieved ? EventID(source: "/mycontext/subcontext", tag: "1234-1234-1234") : nil))
            #expect(decoded.origin == (isBelieved ? "/mycontext/subcontext" : nil))
            #expect(decoded.time == Timestamp(nanoseconds: 1_522_893_384_500_000_000))
            #expect(decoded.payload == Array("{}".utf8))
            #expect(decoded.attributes.contentType == "application/json; charset=utf-8")
            #expect(decoded.attributes.headers == [.init("subject", "s"), .init("ext", "1"), .init("ext", "2")])
        }
    }

    @Test("an envelope is known by its media type in MQTT 5, whatever our own metadata is")
    func mediaType() {
        let bytes = Array(#"{"specversion":"1.0","type":"t","source":"/s","id":"1","data":"x"}"#.utf8)
        var message = Message(topic: "t", payload: bytes)
        #expect(WireFormat(version: .v5, metadata: .minimal).decode(message).payload == bytes)
        for type in ["application/cloudevents+json", "application/CloudEvents+JSON; charset=UTF-8"] {
            message.properties.contentType = type
            #expect(WireFormat(version: .v5, metadata: .none).decode(message).payload == Array("x".utf8))
        }
        message.properties.contentType = "application/cloudevents-batch+json"
        #expect(WireFormat(version: .v5, metadata: .none).decode(message).payload == bytes)
    }

    @Test(
        "what claims to be an envelope and is none is passed on as it is",
        arguments: [
            "", "21.5", "{}", "[]", "{\"specversion\":\"1.0\"}", "{\"specversion\":\"1.0\",\"id\":\"1\"}",
            "{\"specversion\":\"1.0\",\"id\":1,\"source\":\"s\"}", "{\"id\":\"1\",\"source\":\"s\",\"data\":1}",
            "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",}",
        ]
    )
    func broken(text: String) {
        let bytes = Array(text.utf8)
        let message = Message(
            topic: "t",
            payload: bytes,
            properties: MessageProperties(contentType: "application/cloudevents+json")
        )
        #expect(WireFormat(version: .v5, metadata: .minimal).decode(message).payload == bytes)
        let decoded = old.decode(Message(topic: "t", payload: bytes))
        #expect(decoded.payload == bytes)
        #expect(decoded.id == nil)
    }

    @Test("random bytes are an envelope or none, and none traps", arguments: Seed.fresh(1))
    func fuzz(seed: Seed) {
        var random = seed.random
        var bytes = CloudEvents.structured(event("x", type: "application/json", headers: [.init("a", "b")]))
        for _ in 0..<3_000 {
            bytes[random.below(bytes.count)] = UInt8(random.below(256))
            _ = CloudEvents.decode(bytes)
            _ = CloudEvents.decode(Array(bytes.prefix(random.below(bytes.count))))
        }
    }

    // MARK: Times

    @Test(
        "times of RFC 3339 are read, with and without fraction and offset",
        arguments: [
            ("2026-01-31T08:15:30Z", 1_769_847_330_000_000_000),
            ("2026-01-31T08:15:30.25Z", 1_769_847_330_250_000_000),
            ("2026-01-31T08:15:30.123456Z", 1_769_847_330_123_456_000),
            ("2026-01-31T09:15:30+01:00", 1_769_847_330_000_000_000),
            ("2026-01-31T02:45:30.5-05:30", 1_769_847_330_500_000_000),
            ("1969-12-31T23:59:59Z", -1_000_000_000),
        ] as [(String, Int64)]
    )
    func times(text: String, nanoseconds: Int64) {
        #expect(Timestamp(rfc3339: text)?.nanoseconds == nanoseconds)
    }

    @Test(
        "what is no time is no time",
        arguments: ["", "now", "2026-01-31", "2026-13-31T08:15:30Z", "99999-01-01T00:00:00Z"]
    )
    func noTimes(text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }
}
