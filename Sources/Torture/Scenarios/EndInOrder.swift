internal import FaultKit

/// F33: SIGTERM again and again, with a backlog and a listener that fails on some messages; every second time the output is
/// not read. Printed messages do not come again, and no restart causes a dead letter.
enum EndInOrder {
    private static let poison = "poison"
    /// The number of attempts to print an event.
    private static let attempts = 3

    static func run(_ testBed: TestBed) throws {
        let times = testBed.options.extent(4, 20)
        let broker = try testBed.broker(.init(inFlight: 200))
        let installation = try testBed.installation(port: broker.port)
        installation.environment["MQTT_BRIDGE_FAILING_EVENT"] = "in.single.\(poison)"
        var daemon = try testBed.start(installation)
        let publisher = try testBed.publisher(to: broker, .init(rate: testBed.options.rate, size: 1_024))
        var slowest = Duration.zero
        for round in 0..<times {
            try publisher.publishSingle([UInt8(ascii: "x")], name: poison)
            try testBed.pause(testBed.random.milliseconds(50...300))
            if round % 2 == 0 {
                daemon.isOutputPaused = true
                // Until the pipe is full and the daemon blocks within a line.
                try testBed.pause(testBed.random.milliseconds(200...400))
            }
            let begin = ContinuousClock.now
            let ending = daemon.terminate(within: .seconds(10))
            slowest = max(slowest, .now - begin)
            testBed.findings.demand(ending == .exited(0), "SIGTERM: \(ending?.description ?? "no end")")
            daemon = try testBed.start(installation)
        }
        try testBed.settle(publisher)
        try testBed.drain()
        _ = try testBed.wait(upTo: .seconds(20)) { daemon.notices("deadletter") > 0 }
        try testBed.close(daemon, of: installation)
        let doubled = testBed.inbound.checker.doubled
        testBed.findings.demand(doubled == 0, "\(doubled) came twice")
        testBed.findings.demand(slowest <= .seconds(5), "an end took \(slowest)")
        try judgeLetters(times, installation, testBed)
        testBed.findings.note("\(times) ends, \(Int(slowest.inSeconds * 1_000)) ms at most")
    }

    /// Demands that each unprintable message had all its attempts in spite of restarts, and that nothing else is a dead letter.
    private static func judgeLetters(_ count: Int, _ installation: Installation, _ testBed: TestBed) throws {
        let list = try installation.command("dead-letters", "list", "--format", "json").stdout
        let letters = list.split(separator: "\n")
        let isExplained = letters.allSatisfy { letter in
            ["\"in/single/\(poison)\"", "\"attempts\":\(attempts)"].allSatisfy { letter.contains($0) }
        }
        let isAsExpected = letters.count == count && isExplained
        testBed.findings.demand(isAsExpected, "dead letters that nothing explains: \(list.suffix(500))")
    }
}
