internal import FaultKit

/// F9, F10: a peer stops reading, and the store, not the memory, has to hold the backlog.
enum StalledPeer {
    /// The allowed growth of resident memory in bytes, while the store grows several times as much.
    private static let memoryBound = 32 << 20
    /// The memory of a line of standard input until its last answer, in bytes.
    private static let perAnswer = 1_536
    private static let payload = 8_192

    /// The broker stops reading while events are emitted.
    static func broker(_ testBed: TestBed) throws {
        let count = testBed.options.extent(8_000, 30_000)
        let broker = try testBed.broker()
        let proxy = try testBed.proxy(to: broker)
        let receiver = try testBed.receiver(at: broker)
        let installation = try testBed.installation(port: proxy.port)
        let load = Publisher.Load(rate: testBed.options.rate, size: payload, limit: count)
        let daemon = try testBed.start(installation, feeding: load)
        testBed.expectedAlive = daemon
        _ = try testBed.wait(upTo: .seconds(10)) { testBed.outbound.sightings > 1_000 }
        proxy.mode = .blackHole
        let seen = testBed.outbound.sightings
        let growth = try growth(of: daemon, installation, testBed, until: count) { daemon.feeder?.stored ?? 0 }
        testBed.findings.demand(testBed.outbound.sightings < count / 2, "the broker went on reading")
        proxy.mode = .forward
        try testBed.drain()
        try testBed.close(daemon, of: installation)
        receiver.end()
        judge(growth, kept: (count - seen) * payload, answers: count - seen, testBed)
    }

    /// Standard output is not read while messages arrive.
    static func listener(_ testBed: TestBed) throws {
        let count = testBed.options.extent(8_000, 30_000)
        let broker = try testBed.broker(.init(inFlight: 200))
        let proxy = try testBed.proxy(to: broker)
        let installation = try testBed.installation(port: proxy.port)
        let daemon = try testBed.start(installation)
        testBed.expectedAlive = daemon
        let load = Publisher.Load(rate: testBed.options.rate, size: payload, limit: count)
        let publisher = try testBed.publisher(to: broker, load)
        _ = try testBed.wait(upTo: .seconds(10)) { testBed.inbound.sightings > 1_000 }
        daemon.isOutputPaused = true
        let seen = testBed.inbound.sightings
        let growth = try growth(of: daemon, installation, testBed, until: count) { proxy.packets(.puback, .toServer) }
        testBed.findings.demand(testBed.inbound.sightings < count / 2, "standard output was read")
        daemon.isOutputPaused = false
        try testBed.settle(publisher)
        try testBed.drain()
        try testBed.close(daemon, of: installation)
        judge(growth, kept: (count - seen) * payload, testBed)
    }

    /// Returns the growth of memory and store, in bytes, until `count` messages are accepted.
    private static func growth(
        of daemon: Daemon,
        _ installation: Installation,
        _ testBed: TestBed,
        until count: Int,
        _ accepted: () -> Int
    ) throws -> (memory: Int, store: Int) {
        let (memory, store) = (daemon.child.residentMemory, installation.storeSize)
        var most = memory
        let isStored = try testBed.wait(whileChanging: accepted) {
            most = max(most, daemon.child.residentMemory)
            return accepted() >= count
        }
        testBed.findings.demand(isStored, "only \(accepted()) of \(count) were accepted")
        return (most - memory, installation.storeSize - store)
    }

    private static func judge(_ growth: (memory: Int, store: Int), kept: Int, answers: Int = 0, _ testBed: TestBed) {
        let memoryBound = memoryBound + answers * perAnswer
        testBed.findings.demand(kept > memoryBound, "too little was held up to say anything: \(kept) bytes")
        testBed.findings.demand(growth.store > kept / 2, "the store grew by only \(growth.store) bytes of \(kept)")
        testBed.findings.demand(growth.memory < memoryBound, "memory grew by \(growth.memory >> 20) MiB")
        testBed.findings.note("store +\(growth.store >> 20) MiB, memory +\(growth.memory >> 20) MiB")
    }
}
