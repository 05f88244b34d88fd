internal import FaultKit
internal import Mosquitto

/// F39: strangers at two brokers publish other payloads under identities of past and future real events, both of another
/// source, whose ids can be guessed, and of the daemon itself. Every real event is heard, and passed on to the other broker,
/// before and after a restart.
enum ForgedIdentities {
    private static let routes = [
        "name: near, topic: \"in/{rest...}\", event: \"in.{rest...}\", broker: b",
        "name: far, topic: \"in/{rest...}\", event: \"in.{rest...}\", broker: other",
        "name: out, topic: \"out/{rest...}\", event: \"out.{rest...}\", broker: b",
    ]

    private struct Place {
        let installation: Installation
        let brokers: [MosquittoBroker]
        let strangers: [Stranger]
        let passedOn: Ledger
    }

    static func run(_ testBed: TestBed) throws {
        let brokers = [try testBed.broker(), try testBed.broker()]
        let strangers = try brokers.map { try testBed.stranger(at: $0) }
        let passedOn = Ledger(.outbound)
        let far = try testBed.receiver(at: brokers[1], ledger: passedOn, filters: ["in/#"])
        let near = try testBed.receiver(at: brokers[0])
        var forged = 0
        for metadata in ["minimal", "cloudevents", "none"] {
            let installation = try testBed.installation(port: brokers[0].port, name: metadata)
            installation.configuration.otherPort = brokers[1].port
            installation.configuration.brokerSettings = ["metadata: \(metadata)"]
            installation.configuration.otherSettings = ["metadata: \(metadata)", "session_expiry: 1h"]
            installation.configuration.routes = routes
            let place = Place(installation: installation, brokers: brokers, strangers: strangers, passedOn: passedOn)
            forged += try lives(place, metadata, testBed)
        }
        try testBed.drain()
        far.end()
        near.end()
        testBed.findings.demand(passedOn.checker.missing == 0, "\(passedOn.checker.missing) were not passed on")
        testBed.findings.note("\(forged) forged; all real events were heard and passed on")
    }

    /// Runs two lives with one metadata format. Returns the number of forged messages.
    private static func lives(_ place: Place, _ metadata: String, _ testBed: TestBed) throws -> Int {
        let half = testBed.options.extent(400, 8_000)
        let load = Publisher.Load(rate: testBed.options.rate / 4, size: 64)
        var (forged, heard) = (0, 0)
        for life in 0..<2 {
            let daemon = try testBed.start(place.installation, feeding: load)
            testBed.expectedAlive = daemon
            // Identities of this life's real events, before they are published, and of earlier events.
            let next = testBed.inbound.sent / testBed.inbound.keys
            let last = next + half / testBed.inbound.keys
            for number in (life == 0 ? next : next - half / testBed.inbound.keys)..<last {
                for key in 0..<testBed.inbound.keys {
                    try forge("in/k\(key)", Publisher.source, "\(key)-\(number)", by: place.strangers[number % 2])
                    forged += 1
                }
            }
            for stranger in place.strangers { try testBed.settle(stranger) }
            let publisher = try testBed.publisher(
                to: place.brokers[0],
                .init(rate: testBed.options.rate, limit: half),
                ledgers: [testBed.inbound, place.passedOn]
            )
            let deadline = ContinuousClock.now + .seconds(20)
            var isPublished = false
            while !isPublished, ContinuousClock.now < deadline {
                forged += try forgeOwn(of: daemon, place.strangers[0])
                isPublished = try testBed.wait(upTo: .milliseconds(20)) {
                    testBed.inbound.sent / testBed.inbound.keys >= last && testBed.inbound.isComplete
                }
            }
            guard isPublished else {
                throw Failure("\(metadata): \(testBed.inbound.checker.missing) real events were not heard within 20 s")
            }
            try testBed.settle(publisher)
            publisher.end()
            daemon.feeder?.end()
            _ = try testBed.wait(upTo: .seconds(20)) {
                testBed.inbound.isComplete && testBed.outbound.isComplete && place.passedOn.isComplete
            }
            heard += daemon.foreigners
            let isTold = daemon.notices("forged") > 0
            testBed.findings.demand(isTold == (metadata != "none"), "\(metadata): forgeries are told \(isTold)")
            testBed.expectedAlive = nil
            // Only with minimal metadata can the receiver recognise doubles after a kill.
            testBed.end(daemon, isKilled: metadata == "minimal" && life == 0)
        }
        testBed.findings.demand(heard > forged / 2, "\(metadata): only \(heard) of \(forged) forged messages came")
        try testBed.demandSoundStore(place.installation)
        return forged
    }

    /// Publishes under numbers that the daemon will assign next, and under one that it has assigned. Returns how many.
    private static func forgeOwn(of daemon: Daemon, _ stranger: Stranger) throws -> Int {
        guard let identity = daemon.lastReceipt, let slash = identity.lastIndex(of: "/") else { return 0 }
        let (source, tag) = (String(identity[..<slash]), identity[identity.index(after: slash)...])
        guard let number = tag.split(separator: "-").first.flatMap({ Int($0) }), stranger.unacknowledged < 50 else {
            return 0
        }
        for (offset, topic) in ["out/k0", "out/k1", "in/k2", "in/k3"].enumerated() {
            try forge(topic, source, "\(number + 1 + offset)-AAAAA", by: stranger)
        }
        try forge("in/k4", source, String(tag), by: stranger)
        return 5
    }

    private static func forge(_ topic: String, _ source: String, _ tag: String, by stranger: Stranger) throws {
        let minimal: [MessageProperties.UserProperty] = [.init("bridgeid", "\(source)/\(tag)")]
        let cloudEvent: [MessageProperties.UserProperty] = [
            .init("specversion", "1.0"), .init("id", tag), .init("source", source), .init("type", "torture"),
        ]
        let isMinimal = tag.utf8.count.isMultiple(of: 2)
        let message = Message(
            topic: topic,
            payload: Array("\(TestMessage.foreign)\(topic) \(source) \(tag) \(isMinimal)".utf8),
            qos: .atLeastOnce,
            properties: MessageProperties(userProperties: isMinimal ? minimal : cloudEvent)
        )
        try stranger.publish(message)
    }
}
