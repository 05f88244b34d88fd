import AsyncEventBus
import Mosquitto
import TestSupport
import Testing

@testable import MQTTBridge

extension BridgeTests {
    @Suite("what others send")
    struct Foreign {
        @Test(
            "F18: wildcards in a received topic are text, and are not published as a topic",
            arguments: ProtocolVersion.allCases
        )
        func wildcards(version: ProtocolVersion) async throws {
            let source = try FakeBroker { peer in
                try peer.serve { packet in
                    guard packet.type == .subscribe else { return nil }
                    let topics = ["a/+/b", "x/#", "fine"]
                    return try peer.usualAnswer(to: packet)
                        + topics.map { .publish(topic: $0, payload: Array($0.utf8)) }
                }
            }
            let target = try MosquittoBroker.start()
            let station = try Station(
                [try .quick(source.url, version, name: "source"), try .quick(target.url, version, name: "target")],
                routes: [
                    Route("{r...}", "{r...}", direction: .in, name: "in", broker: "source"),
                    Route("{r...}", "{r...}", direction: .out, name: "out", broker: "target"),
                ]
            )
            try await withPlainClient(target.url) { plain in
                try await withRunning(station) {
                    try await station.hears(3)
                    try await plain.hears(1)
                    try await settled { plain.count }
                    let report = try await station.tells("refused")
                    #expect(report["topic"] == "a/+/b")
                    #expect(report["reason"]?.contains("invalid topic") == true)
                }
                #expect(plain.messages.map(\.topic) == ["fine"])
            }
            #expect(station.events.map(\.name.text) == ["a.+.b", "x.#", "fine"])
            #expect(station.events.map { $0.mqtt?.topic } == ["a/+/b", "x/#", "fine"])
            #expect(source.errors.isEmpty)
        }

        @Test("CloudEvents in both modes are understood, and their identity goes on")
        func cloudEvents() async throws {
            let (left, right) = (try MosquittoBroker.start(), try MosquittoBroker.start())
            let station = try Station(
                [
                    try .quick(left.url, name: "left", metadata: .cloudevents),
                    try .quick(right.url, .v3_1_1, name: "right", metadata: .cloudevents),
                ],
                routes: ["left", "right"].map { Route("ce/{x}", "ce.{x}", name: $0, broker: $0) }
            )
            let envelope = #"{"specversion":"1.0","type":"t","source":"/far","id":"7","data":"structured"}"#
            try await withPlainClient(left.url) { plain in
                try await withPlainClient(right.url) { other in
                    try await withRunning(station) {
                        let binary = [("specversion", "1.0"), ("type", "t"), ("source", "/far"), ("id", "6")]
                        try await plain.publish("ce/b", "binary", user: binary.map { .init($0, $1) })
                        try await other.publish("ce/s", envelope)
                        try await other.publish("ce/s", envelope)
                        try await station.hears(2)
                        try await plain.hears(2)
                        try await other.hears(3)
                        try await settled { station.count + plain.count + other.count }
                    }
                    #expect(plain.count == 2)
                    #expect(plain.messages.last?.properties[user: "id"] == "7")
                    #expect(plain.messages.last?.properties[user: "bridgehops"] == "1")
                    #expect(plain.texts.last == "structured")
                    let passed = other.messages.first { $0.topic == "ce/b" }
                    let decoded = CloudEvents.decode(passed?.payload ?? [])
                    #expect(decoded?.id == EventID(source: "/far", tag: "6"))
                    #expect(decoded?.payload == Array("binary".utf8))
                    #expect(decoded?.hops == 1)
                }
            }
            #expect(Set(station.events.map(\.payload)) == ["binary", "structured"])
            #expect(station.count == 2)
            #expect(station.reports("loop").last?["total"] == "2", "the copy, and what version 3.1.1 sends back")
        }
    }
}
