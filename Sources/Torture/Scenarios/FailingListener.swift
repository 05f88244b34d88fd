internal import FaultKit

/// F11: a listener that throws at one message. That one becomes a dead letter, the rest flows, and a replay by an
/// operator runs it again.
enum FailingListener {
    private static let name = "poison"
    /// How often the daemon tries to print an event.
    private static let attempts = 3

    static func run(_ bench: Bench) throws {
        let broker = try bench.broker()
        let installation = try bench.installation(port: broker.port)
        installation.environment["MQTT_BRIDGE_FAILING_EVENT"] = "in.single.\(name)"
        let daemon = try bench.start(installation)
        bench.expectedAlive = daemon
        let count = bench.options.extent(2_000, 20_000)
        let publisher = try bench.publisher(to: broker, .init(rate: bench.options.rate, size: 64, limit: count))
        _ = try bench.wait(upTo: .seconds(10)) { bench.inbound.sightings > count / 4 }
        try publisher.publishSingle([UInt8(ascii: "x")], name: name)
        let isTold = try bench.wait(upTo: .seconds(20)) { daemon.notices("deadletter") > 0 }
        bench.findings.demand(isTold, "no $bridge.deadletter")
        try bench.settle(publisher)
        try bench.drain()
        bench.findings.demand(daemon.singles(name).isEmpty, "the listener did not fail")
        let list = try installation.command("dead-letters", "list", "--format", "json").stdout
        let letters = list.split(separator: "\n")
        bench.findings.demand(
            letters.count == 1
                && letters.allSatisfy { line in
                    ["\"in/single/\(name)\"", "\"standard output\"", "\"attempts\":\(attempts)"].allSatisfy(
                        line.contains
                    )
                },
            "not one dead letter with its topic, listener and attempts: \(list)"
        )
        try bench.close(daemon, of: installation)
        try replay(installation, bench)
        bench.findings.note("a dead letter after \(attempts) attempts, the rest flowed; a replay ran it")
    }

    /// In a life whose listener does not fail, an operator has it run again.
    private static func replay(_ installation: Installation, _ bench: Bench) throws {
        installation.environment = [:]
        let daemon = try bench.start(installation)
        let reply = try installation.command("dead-letters", "replay", "--all")
        bench.findings.demand(reply.status.isSuccess, "dead-letters replay: \(reply.stderr)")
        let isRun = try bench.wait(upTo: .seconds(10)) { daemon.singles(name) == [1] }
        bench.findings.demand(isRun, "the replay did not run")
        let left = try installation.command("dead-letters", "list", "--format", "json").stdout
        bench.findings.demand(left.isEmpty, "the letter is there after its replay: \(left)")
        try bench.close(daemon, of: installation)
    }
}
