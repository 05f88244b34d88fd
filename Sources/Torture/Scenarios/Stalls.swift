internal import FaultKit

/// F8, F37: answers that are late, and answers that do not come.
enum Stalls {
    /// The connection is up, but no bytes pass: reported within 5 s, reconnected after 15 s, flowing 5 s after the end.
    static func silentLine(_ testBed: TestBed) throws {
        let silences = testBed.options.extent == .short ? [7] : [7, 25, 7, 25]
        let broker = try testBed.broker()
        let proxy = try testBed.proxy(to: broker)
        let receiver = try testBed.receiver(at: broker)
        let installation = try testBed.installation(port: proxy.port)
        let load = Publisher.Load(rate: testBed.options.rate / 10, size: 64)
        let daemon = try testBed.start(installation, feeding: load)
        testBed.expectedAlive = daemon
        let publisher = try testBed.publisher(to: broker, load)
        _ = try testBed.wait(upTo: .seconds(10)) { testBed.outbound.sightings > 100 && testBed.inbound.sightings > 100 }
        var (slowestName, slowestFlow) = (Duration.zero, Duration.zero)
        for (number, silence) in silences.enumerated() {
            proxy.mode = .blackHole
            let begin = ContinuousClock.now
            // The daemon's report may take a moment through the pipe.
            let isNamed = try testBed.wait(upTo: .seconds(6)) { daemon.notices("stalled") > number }
            testBed.findings.demand(isNamed, "a silent line is not named within 5 s")
            slowestName = max(slowestName, .now - begin)
            if silence > 15 {
                let isCut = try testBed.wait(upTo: .seconds(17) - (.now - begin)) { daemon.notices("disconnected") > 0 }
                testBed.findings.demand(isCut, "the connection is not given up after 15 s")
            }
            try testBed.pause(.seconds(silence) - (.now - begin))
            let (outbound, inbound) = (testBed.outbound.sightings, testBed.inbound.sightings)
            proxy.mode = .forward
            let end = ContinuousClock.now
            let flows = try testBed.wait(upTo: .seconds(6)) {
                testBed.outbound.sightings > outbound && testBed.inbound.sightings > inbound
                    && daemon.notices("recovered") > number
            }
            testBed.findings.demand(flows, "nothing flows 5 s after the line is back")
            slowestFlow = max(slowestFlow, .now - end)
        }
        try testBed.settle(publisher)
        daemon.feeder?.end()
        try testBed.drain()
        testBed.findings.demand(
            daemon.notices("stalled") == silences.count,
            "\(daemon.notices("stalled")) stalls named"
        )
        try testBed.close(daemon, of: installation)
        receiver.end()
        testBed.findings.note(
            "\(silences.count) × silent; named after \(Int(slowestName.inSeconds * 1_000)) ms, "
                + "flowing after \(Int(slowestFlow.inSeconds * 1_000)) ms at most"
        )
    }

    /// A delay of 500 ± 200 ms at 10 kB/s: nothing is lost, and no stall is reported.
    static func slowLine(_ testBed: TestBed) throws {
        let seconds = testBed.options.extent(8, 600)
        let broker = try testBed.broker()
        let proxy = try testBed.proxy(to: broker)
        let receiver = try testBed.receiver(at: broker)
        let installation = try testBed.installation(port: proxy.port)
        proxy.conditions = .init(delay: .milliseconds(500), jitter: .milliseconds(200), bytesPerSecond: 10_000)
        // About 5 kB per second in each direction, including acknowledgements.
        let load = Publisher.Load(rate: 20, size: 100)
        let daemon = try testBed.start(installation, feeding: load)
        testBed.expectedAlive = daemon
        let memory = daemon.child.residentMemory
        let publisher = try testBed.publisher(to: broker, load)
        try testBed.pause(.seconds(seconds))
        let growth = daemon.child.residentMemory - memory
        try testBed.settle(publisher)
        daemon.feeder?.end()
        try testBed.drain()
        testBed.findings.demand(daemon.notices("stalled") == 0, "a slow line was called a stall")
        testBed.findings.demand(daemon.notices("disconnected") == 0, "a slow line was given up")
        testBed.findings.demand(growth < 20 << 20, "memory grew by \(growth >> 20) MiB")
        try testBed.close(daemon, of: installation)
        receiver.end()
        testBed.findings.note("\(seconds) s at 500 ms ± 200 and 10 kB/s; no false alarm; memory +\(growth >> 10) KiB")
    }
}
