internal import FaultKit

/// F11: a listener throws on one message. The message becomes a dead letter, the rest flows, and a replay by an operator
/// delivers it again.
enum FailingListener {
    private static let name = "poison"
    /// The number of attempts to print an event.
    private static let attempts = 3

    static func run(_ testBed: TestBed) throws {
        let broker = try testBed.broker()
        let installation = try testBed.installation(port: broker.port)
        installation.environment["MQTT_BRIDGE_FAILING_EVENT"] = "in.single.\(name)"
        let daemon = try testBed.start(installation)
        testBed.expectedAlive = daemon
        let count = testBed.options.extent(2_000, 20_000)
        let publisher = try testBed.publisher(to: broker, .init(rate: testBed.options.rate, size: 64, limit: count))
        _ = try testBed.wait(upTo: .seconds(10)) { testBed.inbound.sightings > count / 4 }
        try publisher.publishSingle([UInt8(ascii: "x")], name: name)
        let isTold = try testBed.wait(upTo: .seconds(20)) { daemon.notices("deadletter") > 0 }
        testBed.findings.demand(isTold, "no $bridge.deadletter")
        try testBed.settle(publisher)
        try testBed.drain()
        testBed.findings.demand(daemon.singles(name).isEmpty, "the listener did not fail")
        let list = try installation.command("dead-letters", "list", "--format", "json").stdout
        let letters = list.split(separator: "\n")
        testBed.findings.demand(
            letters.count == 1
                && letters.allSatisfy { line in
                    ["\"in/single/\(name)\"", "\"standard output\"", "\"attempts\":\(attempts)"].allSatisfy(
                        line.contains
                    )
                },
            "not one dead letter with its topic, listener and attempts: \(list)"
        )
        try testBed.close(daemon, of: installation)
        try replay(installation, testBed)
        testBed.findings.note("a dead letter after \(attempts) attempts, the rest flowed; a replay ran it")
    }

    /// Replays the dead letter in a life whose listener does not fail.
    private static func replay(_ installation: Installation, _ testBed: TestBed) throws {
        installation.environment = [:]
        let daemon = try testBed.start(installation)
        let reply = try installation.command("dead-letters", "replay", "--all")
        testBed.findings.demand(reply.status.isSuccess, "dead-letters replay: \(reply.stderr)")
        let isRun = try testBed.wait(upTo: .seconds(10)) { daemon.singles(name) == [1] }
        testBed.findings.demand(isRun, "the replay did not run")
        let left = try installation.command("dead-letters", "list", "--format", "json").stdout
        testBed.findings.demand(left.isEmpty, "the letter is there after its replay: \(left)")
        try testBed.close(daemon, of: installation)
    }
}
