internal import FaultKit

/// F9, F10: somebody stops reading, and the store has to hold what comes meanwhile, not the memory.
enum StalledPeer {
    /// How much resident memory may grow while the store takes several times as much.
    private static let memoryBound = 32 << 20
    /// What a line of standard input costs in memory until its last answer.
    private static let perAnswer = 1_536
    private static let payload = 4_096

    /// The broker stops reading; emits go on.
    static func broker(_ bench: Bench) throws {
        let count = bench.options.extent(15_000, 60_000)
        let broker = try bench.broker()
        let proxy = try bench.proxy(to: broker)
        let receiver = try bench.receiver(at: broker)
        let installation = try bench.installation(port: proxy.port)
        let load = Publisher.Load(rate: bench.options.rate, size: payload, limit: count)
        let daemon = try bench.start(installation, feeding: load)
        bench.expectedAlive = daemon
        _ = try bench.wait(upTo: .seconds(10)) { bench.outbound.sightings > 1_000 }
        proxy.mode = .blackHole
        let seen = bench.outbound.sightings
        let growth = try growth(of: daemon, installation, bench) { (daemon.feeder?.stored ?? 0) >= count }
        bench.findings.demand(bench.outbound.sightings < count / 2, "the broker went on reading")
        proxy.mode = .forward
        try bench.drain(upTo: .seconds(120))
        try bench.close(daemon, of: installation)
        receiver.end()
        judge(growth, kept: (count - seen) * payload, answers: count - seen, bench)
    }

    /// Nobody reads standard output; messages go on coming.
    static func listener(_ bench: Bench) throws {
        let count = bench.options.extent(15_000, 60_000)
        let broker = try bench.broker(.init(inFlight: 200))
        let proxy = try bench.proxy(to: broker)
        let installation = try bench.installation(port: proxy.port)
        let daemon = try bench.start(installation)
        bench.expectedAlive = daemon
        let load = Publisher.Load(rate: bench.options.rate, size: payload, limit: count)
        let publisher = try bench.publisher(to: broker, load)
        _ = try bench.wait(upTo: .seconds(10)) { bench.inbound.sightings > 1_000 }
        daemon.isOutputPaused = true
        let seen = bench.inbound.sightings
        let growth = try growth(of: daemon, installation, bench) { proxy.packets(.puback, .toServer) >= count }
        bench.findings.demand(bench.inbound.sightings < count / 2, "standard output was read")
        daemon.isOutputPaused = false
        try bench.settle(publisher)
        try bench.drain(upTo: .seconds(120))
        try bench.close(daemon, of: installation)
        judge(growth, kept: (count - seen) * payload, bench)
    }

    /// How much memory and store grew until everything was taken on.
    private static func growth(
        of daemon: Daemon,
        _ installation: Installation,
        _ bench: Bench,
        until isDone: () -> Bool
    ) throws -> (memory: Int, store: Int) {
        let (memory, store) = (daemon.child.residentMemory, installation.storeSize)
        var most = memory
        let isStored = try bench.wait(upTo: .seconds(60)) {
            most = max(most, daemon.child.residentMemory)
            return isDone()
        }
        bench.findings.demand(isStored, "not everything was stored within 60 s: \(daemon.feeder?.stored ?? 0)")
        return (most - memory, installation.storeSize - store)
    }

    private static func judge(_ growth: (memory: Int, store: Int), kept: Int, answers: Int = 0, _ bench: Bench) {
        let memoryBound = memoryBound + answers * perAnswer
        bench.findings.demand(kept > memoryBound, "too little was held up to say anything: \(kept) bytes")
        bench.findings.demand(growth.store > kept / 2, "the store grew by only \(growth.store) bytes of \(kept)")
        bench.findings.demand(growth.memory < memoryBound, "memory grew by \(growth.memory >> 20) MiB")
        bench.findings.note("store +\(growth.store >> 20) MiB, memory +\(growth.memory >> 20) MiB")
    }
}
