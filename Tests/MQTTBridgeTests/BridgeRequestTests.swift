import MessageStore
import TestSupport
import Testing

@testable import MQTTBridge

extension BridgeTests {
    @Suite("requests")
    struct Requests {
        private struct Query: Codable {
            var full = false
        }

        private struct PumpState: Codable, Hashable {
            var id: String
            var runs: Bool
        }

        private enum Site {
            static let askPump = RequestTopic<Query, PumpState>("pump.{id}.ask")
        }

        private static let routes = [
            Route("pumps/{id}/ask", Site.askPump.requests), Route("answers/{bus...}", "answers.{bus...}"),
        ]

        private func station(
            _ url: String,
            _ version: ProtocolVersion = .v5,
            _ metadata: Metadata = .automatic,
            store: (any MessageStore)? = nil,
            replyingWithin allowed: [TopicTemplate] = ["answers/{rest...}"],
            log: LogRecorder = LogRecorder()
        ) throws -> Station {
            var broker = try Broker.quick(url, version, metadata: metadata)
            broker.replyingWithin = allowed
            return try Station([broker], routes: Self.routes, store: store, hears: false, logger: log.logger)
        }

        private func answer(at station: Station) {
            station.bus.answer(Site.askPump) { query, event in
                guard try event.id != "away" else { throw FaultKitError("no such pump") }
                return PumpState(id: try event.id, runs: query.full)
            }
        }

        private struct Wire: CustomTestStringConvertible {
            var version: ProtocolVersion
            var metadata = Metadata.automatic

            var testDescription: String { "MQTT \(version.rawValue), \(metadata.rawValue)" }
        }

        @Test(
            "a request crosses the broker and comes back, with and without a store",
            arguments: [
                (Wire(version: .v5), Wire(version: .v5)),
                (Wire(version: .v5, metadata: .none), Wire(version: .v5, metadata: .none)),
                (Wire(version: .v5, metadata: .cloudevents), Wire(version: .v5, metadata: .cloudevents)),
                (Wire(version: .v3_1_1, metadata: .cloudevents), Wire(version: .v3_1_1, metadata: .cloudevents)),
                (Wire(version: .v5, metadata: .envelope), Wire(version: .v3_1_1, metadata: .envelope)),
                (Wire(version: .v3_1_1, metadata: .envelope), Wire(version: .v5, metadata: .envelope)),
            ],
            [false, true]
        )
        private func crossing(wires: (Wire, Wire), isStored: Bool) async throws {
            let broker = try MosquittoBroker.start()
            let stations = try [wires.0, wires.1].map { wire in
                try station(broker.url, wire.version, wire.metadata, store: isStored ? MemoryStore() : nil)
            }
            let (asking, answering) = (stations[0], stations[1])
            answer(at: answering)
            try await withRunning(asking, answering) {
                for number in 0..<3 {
                    let state = try await asking.bus.request(
                        Site.askPump(id: "p.\(number)"),
                        Query(full: true),
                        within: .seconds(20)
                    )
                    #expect(state == PumpState(id: "p.\(number)", runs: true))
                }
                let error = await #expect(throws: EventBusError.self) {
                    try await asking.bus.request(Site.askPump(id: "away"), Query(), within: .seconds(20))
                }
                #expect(error?.code == .answeredWithError && error?.detail.contains("no such pump") == true)
            }
        }

        @Test("a plain client asks and is answered where it says, within what is allowed, and nowhere else")
        func plainClientAsks() async throws {
            let broker = try MosquittoBroker.start()
            let log = LogRecorder()
            let answering = try station(broker.url, log: log)
            answer(at: answering)
            func ask(_ responseTopic: String, _ correlation: [UInt8]) -> Message {
                Message(
                    topic: "pumps/p1/ask",
                    payload: Array(#"{"full":true}"#.utf8),
                    qos: .atLeastOnce,
                    properties: MessageProperties(responseTopic: responseTopic, correlationData: correlation)
                )
            }
            try await withPlainClient(broker.url, ["answers/#", "valve/#"]) { plain in
                try await withRunning(answering) {
                    for _ in 0..<3 { try await plain.publish(ask("valve/open", [1])) }
                    try await plain.publish(ask("answers/a/b", [0, 0xFF]))
                    try await plain.hears(1)
                    // The same once more is answered from memory.
                    try await plain.publish(ask("answers/a/b", [0, 0xFF]))
                    try await plain.hears(2)
                }
                #expect(Set(plain.messages.map(\.topic)) == ["answers/a/b"])
                #expect(Set(plain.messages.map(\.payload)) == [Array(#"{"id":"p1","runs":true}"#.utf8)])
                #expect(Set(plain.messages.map(\.properties.correlationData)) == [[0, 0xFF]])
                #expect(plain.messages[0].properties.contentType == "application/json")
            }
            let notes = log.lines.filter { $0.message.hasPrefix("a response topic is not used") }
            #expect(notes.map { $0["topic"] } == ["valve/open"])
        }

        @Test("a program without this library answers a request")
        func plainClientAnswers() async throws {
            let broker = try MosquittoBroker.start()
            let asking = try station(broker.url)
            try await withPlainClient(broker.url, ["pumps/#"]) { plain in
                try await withRunning(asking) {
                    async let state = asking.bus.request(Site.askPump(id: "p1"), Query(), within: .seconds(20))
                    try await plain.hears(1)
                    let request = plain.messages[0]
                    let topic = try #require(request.properties.responseTopic)
                    #expect(topic == "answers/\(asking.bus.source)")
                    let correlation = try #require(request.properties.correlationData)
                    // Scripts pass it on as text.
                    #expect(correlation.allSatisfy { (33...126).contains($0) })
                    try await plain.publish(
                        Message(
                            topic: topic,
                            payload: Array(#"{"id":"p1","runs":false}"#.utf8),
                            qos: .atLeastOnce,
                            properties: MessageProperties(correlationData: correlation)
                        )
                    )
                    #expect(try await state == PumpState(id: "p1", runs: false))
                }
            }
        }

        @Test("mosquitto_rr asks a listener")
        func mosquittoAsks() async throws {
            let broker = try MosquittoBroker.start()
            let answering = try station(broker.url)
            answer(at: answering)
            let outcome = try await withRunning(answering) {
                try await onThread {
                    try Shell.run(
                        "mosquitto_rr",
                        [
                            "-p", "\(broker.port)", "-V", "mqttv5", "-t", "pumps/p1/ask", "-e", "answers/me", "-m",
                            "{\"full\":true}",
                        ]
                    )
                }
            }
            #expect(outcome.stdout == #"{"id":"p1","runs":true}"# + "\n")
        }

        @Test("a shell script answers a request")
        func scriptAnswers() async throws {
            let broker = try MosquittoBroker.start()
            let asking = try station(broker.url)
            let script = """
                mosquitto_sub -p \(broker.port) -V mqttv5 -t 'pumps/+/ask' -C 1 -F '%R %D' | while read topic correlation; do
                    mosquitto_pub -p \(broker.port) -V mqttv5 -t "$topic" -D publish correlation-data "$correlation" \\
                        -m '{"id":"p1","runs":true}'
                done
                """
            try await withRunning(asking) {
                async let outcome = onThread { try Shell.run("sh", ["-c", script]) }
                // Until the script has subscribed nobody answers.
                var state: PumpState?
                while state == nil {
                    do {
                        state = try await asking.bus.request(
                            Site.askPump(id: "p1"),
                            Query(),
                            within: .seconds(1).stretched
                        )
                    } catch let error as EventBusError where error.code == .timedOut {}
                }
                #expect(state == PumpState(id: "p1", runs: true))
                #expect(try await outcome.status.isSuccess)
            }
        }

        @Test("a broker that knows no subscriber for a request ends it at once", arguments: [false, true])
        func nobody(isStored: Bool) async throws {
            let broker = try MosquittoBroker.start()
            // Its own subscription would count as one.
            let routes = [Route("pumps/{id}/ask", Site.askPump.requests, direction: .out), Self.routes[1]]
            let store = isStored ? MemoryStore() : nil
            let asking = try Station([try .quick(broker.url)], routes: routes, store: store, hears: false)
            try await withRunning(asking) {
                let error = await #expect(throws: EventBusError.self) {
                    try await asking.bus.request(Site.askPump(id: "p"), Query(), within: .seconds(60))
                }
                #expect(error?.code == .noListeners)
                // A listener here answers, although nobody at the broker does.
                answer(at: asking)
                let state = try await asking.bus.request(Site.askPump(id: "p"), Query(), within: .seconds(20))
                #expect(state == PumpState(id: "p", runs: false))
            }
        }

        @Test("in MQTT 3.1.1 nobody knows of a subscriber, and the time is over")
        func nobodyKnown() async throws {
            let broker = try MosquittoBroker.start()
            let asking = try station(broker.url, .v3_1_1, .envelope)
            try await withRunning(asking) {
                let error = await #expect(throws: EventBusError.self) {
                    try await asking.bus.request(Site.askPump(id: "p"), Query(), within: .milliseconds(300))
                }
                #expect(error?.code == .timedOut)
            }
        }

        @Test("a subscriber that does not answer leaves the request to its time limit")
        func silent() async throws {
            let broker = try MosquittoBroker.start()
            let asking = try station(broker.url)
            try await withPlainClient(broker.url, ["pumps/#"]) { plain in
                try await withRunning(asking) {
                    let error = await #expect(throws: EventBusError.self) {
                        try await asking.bus.request(Site.askPump(id: "p"), Query(), within: .milliseconds(300))
                    }
                    #expect(error?.code == .timedOut)
                    try await plain.hears(1)
                }
            }
        }

        @Test("a request passes a gateway between two brokers, and so does its response")
        func twoBrokers() async throws {
            let (near, far) = (try MosquittoBroker.start(), try MosquittoBroker.start())
            let asking = try station(near.url)
            let answering = try station(far.url)
            answer(at: answering)
            let names = ["near", "far"]
            let between = try Station(
                [try .quick(near.url, name: "near"), try .quick(far.url, name: "far")],
                routes: names.flatMap { name in
                    [
                        Route("pumps/{id}/ask", "pump.{id}.ask", broker: name),
                        Route("answers/{bus}", "answers.{bus}", broker: name),
                    ]
                }
            )
            try await withRunning(asking, answering, between) {
                let state = try await asking.bus.request(Site.askPump(id: "p"), Query(), within: .seconds(20))
                #expect(state == PumpState(id: "p", runs: false))
            }
        }

        @Test(
            "a name for responses that no route brings in has no topic, and a topic that no route publishes to no name"
        )
        func mapping() throws {
            let table = try RouteTable(
                [
                    Route("in/{n}", "in.{n}", direction: .in), Route("out/{n}", "out.{n}", direction: .out),
                    Route("both/{n...}", "both.{n...}"), Route("other/{n}", "both.{n}", broker: "other"),
                ],
                brokers: ["default", "other"]
            )
            #expect(table.replyName(ofTopic: "in/a", broker: "default") == nil)
            #expect(table.replyName(ofTopic: "out/a", broker: "default") == "out.a")
            #expect(table.replyName(ofTopic: "both/a/b", broker: "default") == "both.a.b")
            #expect(table.replyName(ofTopic: "both/a", broker: "other") == nil)
            #expect(table.replyName(ofTopic: "other/a", broker: "other") == "both.a")
            #expect(table.replyName(ofTopic: "out/+", broker: "default") == nil)
            #expect(table.replyTopic(ofName: "in.a", broker: "default") == "in/a")
            #expect(table.replyTopic(ofName: "out.a", broker: "default") == nil)
            #expect(table.replyTopic(ofName: "both.a.b", broker: "default") == "both/a/b")
            #expect(table.replyTopic(ofName: "both.a.b", broker: "other") == nil)
        }
    }
}
