internal import FaultKit

/// F8, F37: an answer that is late, and one that does not come.
enum Stalls {
    /// The line is up, and nothing passes: named within 5 s, connected anew after 15 s, and it flows 5 s after the end.
    static func silentLine(_ bench: Bench) throws {
        let silences = bench.options.extent == .short ? [7] : [7, 25, 7, 25]
        let broker = try bench.broker()
        let proxy = try bench.proxy(to: broker)
        let receiver = try bench.receiver(at: broker)
        let installation = try bench.installation(port: proxy.port)
        let load = Publisher.Load(rate: bench.options.rate / 10, size: 64)
        let daemon = try bench.start(installation, feeding: load)
        bench.expectedAlive = daemon
        let publisher = try bench.publisher(to: broker, load)
        _ = try bench.wait(upTo: .seconds(10)) { bench.outbound.sightings > 100 && bench.inbound.sightings > 100 }
        var (slowestName, slowestFlow) = (Duration.zero, Duration.zero)
        for (number, silence) in silences.enumerated() {
            proxy.mode = .blackHole
            let begin = ContinuousClock.now
            // The daemon's own word may take a moment through the pipe.
            let isNamed = try bench.wait(upTo: .seconds(6)) { daemon.notices("stalled") > number }
            bench.findings.demand(isNamed, "a silent line is not named within 5 s")
            slowestName = max(slowestName, .now - begin)
            if silence > 15 {
                let isCut = try bench.wait(upTo: .seconds(17) - (.now - begin)) { daemon.notices("disconnected") > 0 }
                bench.findings.demand(isCut, "the connection is not given up after 15 s")
            }
            try bench.pause(.seconds(silence) - (.now - begin))
            let (outbound, inbound) = (bench.outbound.sightings, bench.inbound.sightings)
            proxy.mode = .forward
            let end = ContinuousClock.now
            let flows = try bench.wait(upTo: .seconds(6)) {
                bench.outbound.sightings > outbound && bench.inbound.sightings > inbound
                    && daemon.notices("recovered") > number
            }
            bench.findings.demand(flows, "nothing flows 5 s after the line is back")
            slowestFlow = max(slowestFlow, .now - end)
        }
        try bench.settle(publisher)
        daemon.feeder?.end()
        try bench.drain()
        bench.findings.demand(daemon.notices("stalled") == silences.count, "\(daemon.notices("stalled")) stalls named")
        try bench.close(daemon, of: installation)
        receiver.end()
        bench.findings.note(
            "\(silences.count) × silent; named after \(Int(slowestName.inSeconds * 1_000)) ms, "
                + "flowing after \(Int(slowestFlow.inSeconds * 1_000)) ms at most"
        )
    }

    /// 500 ms ± 200 of delay at 10 kB/s: nothing is lost, and nothing is called a stall.
    static func slowLine(_ bench: Bench) throws {
        let seconds = bench.options.extent(8, 600)
        let broker = try bench.broker()
        let proxy = try bench.proxy(to: broker)
        let receiver = try bench.receiver(at: broker)
        let installation = try bench.installation(port: proxy.port)
        proxy.conditions = .init(delay: .milliseconds(500), jitter: .milliseconds(200), bytesPerSecond: 10_000)
        // Some 5 kB a second each way, acknowledgements included.
        let load = Publisher.Load(rate: 20, size: 100)
        let daemon = try bench.start(installation, feeding: load)
        bench.expectedAlive = daemon
        let memory = daemon.child.residentMemory
        let publisher = try bench.publisher(to: broker, load)
        try bench.pause(.seconds(seconds))
        let growth = daemon.child.residentMemory - memory
        try bench.settle(publisher)
        daemon.feeder?.end()
        try bench.drain()
        bench.findings.demand(daemon.notices("stalled") == 0, "a slow line was called a stall")
        bench.findings.demand(daemon.notices("disconnected") == 0, "a slow line was given up")
        bench.findings.demand(growth < 20 << 20, "memory grew by \(growth >> 20) MiB")
        try bench.close(daemon, of: installation)
        receiver.end()
        bench.findings.note("\(seconds) s at 500 ms ± 200 and 10 kB/s; no false alarm; memory +\(growth >> 10) KiB")
    }
}
