internal import FaultKit
internal import Foundation

/// F34: messages that access rules forbid or that are too large for the broker, at a mosquitto that hangs up on each. The
/// daemon survives, even if it starts with them in its store; they become dead letters that name the cause, and all other
/// messages flow.
enum HangUps {
    static func run(_ testBed: TestBed) throws {
        let access = "\(testBed.folder)/access"
        try Data("topic read #\ntopic deny out/denied/#\ntopic readwrite #\n".utf8)
            .write(to: URL(fileURLWithPath: access))
        // Without a queue limit, mosquitto 2.0.11 hangs up after each message that it denies.
        let broker = try testBed.broker(.init(queued: 0, lines: ["acl_file \(access)", "max_packet_size 2000"]))
        for version in ["5", "3.1.1"] { try run(testBed, broker, version) }
    }

    private static func run(_ testBed: TestBed, _ broker: MosquittoBroker, _ version: String) throws {
        let (denied, large) = (testBed.options.extent(6, 20), testBed.options.extent(3, 10))
        broker.stop()
        try store(denied, of: 64, as: "out.denied.k", testBed, broker, version)
        try store(large, of: 5_000, as: "out.large.k", testBed, broker, version)
        try broker.restart()
        let rest = Ledger(.outbound)
        let receiver = try Subscriber(port: broker.port, ledger: rest, filters: ["out/#"])
        defer { receiver.end() }
        let count = testBed.options.extent(200, 2_000)
        let installation = try place(testBed, broker, version, rest)
        let daemon = try testBed.start(installation, feeding: .init(rate: 200, size: 64, limit: count))
        testBed.expectedAlive = daemon
        let isPublished = try testBed.wait(whileChanging: { daemon.feeder?.published ?? 0 }) {
            daemon.feeder?.published == count
        }
        let published = daemon.feeder?.published ?? 0
        testBed.findings.demand(isPublished, "MQTT \(version): only \(published) of \(count) others were published")
        // MQTT 3.1.1 has no refusal: mosquitto acknowledges messages that it denies.
        let expected = (version == "5" ? denied : 0) + large
        var letters: [Substring] = []
        let areDead = try testBed.wait(upTo: .seconds(60)) {
            letters = (try? deadLetters(installation)) ?? []
            return letters.count >= expected
        }
        testBed.findings.demand(areDead, "MQTT \(version): \(letters.count) of \(expected) dead letters")
        let named = letters.filter { $0.contains("out/large/") }
        let cause = version == "5" ? "larger than the broker takes" : "max_packet_size"
        testBed.findings.demand(
            named.count == large,
            "MQTT \(version): \(named.count) of \(large) sizes are dead letters"
        )
        testBed.findings.demand(
            named.allSatisfy { $0.contains(cause) },
            "MQTT \(version): a dead letter names no cause"
        )
        testBed.findings.demand(
            !daemon.complaints.contains("client_id"),
            "MQTT \(version): advice about the identifier"
        )
        try testBed.close(daemon, of: installation)
        testBed.findings.demand(rest.checker.missing == 0, "MQTT \(version): \(rest.checker.missing) others are lost")
        testBed.findings.note("MQTT \(version): \(letters.count) dead letters, \(published) others published")
    }

    /// Leaves messages in the store for the next life.
    private static func store(
        _ count: Int,
        of size: Int,
        as prefix: String,
        _ testBed: TestBed,
        _ broker: MosquittoBroker,
        _ version: String
    ) throws {
        let installation = try place(testBed, broker, version, Ledger(.outbound))
        installation.feedPrefix = prefix
        let daemon = try testBed.begin(installation, feeding: .init(rate: 500, size: size, limit: count))
        let isStored = try testBed.wait(upTo: .seconds(20)) { daemon.feeder?.stored == count }
        testBed.findings.demand(isStored, "\(prefix): not stored while the broker is away")
        daemon.kill()
    }

    private static func place(
        _ testBed: TestBed,
        _ broker: MosquittoBroker,
        _ version: String,
        _ outbound: Ledger
    ) throws -> Installation {
        let installation = try testBed.installation(port: broker.port, name: "mqtt-\(version)", outbound: outbound)
        installation.configuration.brokerSettings = ["version: \(version)"]
        return installation
    }

    private static func deadLetters(_ installation: Installation) throws -> [Substring] {
        try installation.command("dead-letters", "list", "--format", "json").stdout.split(separator: "\n")
            .filter { $0.contains("\"topic\"") }
    }
}
