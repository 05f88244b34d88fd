internal import FaultKit
internal import Foundation
internal import Glibc

/// F27: SIGHUP under load in both directions, each time with another configuration, every fifth time with a broken one. The daemon
/// keeps its connection, loses nothing and doubles nothing, and does not grow.
enum HangUpSignal {
    /// The allowed growth of resident memory in bytes, and of open files.
    private static let (memoryBound, fileBound) = (32 << 20, 4)

    static func run(_ testBed: TestBed) throws {
        let times = testBed.options.extent(20, 200)
        let broker = try testBed.broker()
        let receiver = try testBed.receiver(at: broker)
        let installation = try testBed.installation(port: broker.port)
        let load = Publisher.Load(rate: testBed.options.rate / 2, size: 64)
        let daemon = try testBed.start(installation, feeding: load)
        testBed.expectedAlive = daemon
        let publisher = try testBed.publisher(to: broker, load)
        let routes = installation.configuration.routes
        let (memory, files) = (daemon.child.residentMemory, daemon.child.descriptors)
        var broken = 0
        for turn in 0..<times {
            try testBed.pause(testBed.random.milliseconds(1...60))
            let isBroken = turn % 5 == 4
            installation.configuration.routes =
                routes + [isBroken ? "topic: \"more/{x\", event: \"more.{x}\"" : more(turn % 3)]
            let answers = (daemon.notices("subscribed"), daemon.refusedReloads)
            try installation.writeConfiguration()
            testBed.findings.demand(daemon.child.signal(SIGHUP), "the daemon had ended before SIGHUP")
            let isAnswered = try testBed.wait(upTo: .seconds(10)) {
                isBroken ? daemon.refusedReloads > answers.1 : daemon.notices("subscribed") > answers.0
            }
            testBed.findings.demand(isAnswered, "no answer to reload \(turn), \(isBroken ? "broken" : "good")")
            if isBroken { broken += 1 }
        }
        try testBed.settle(publisher)
        daemon.feeder?.end()
        try testBed.drain()
        let connections = daemon.notices("connected")
        testBed.findings.demand(connections == 1, "connected \(connections) times, not once")
        let doubled = testBed.inbound.checker.doubled + testBed.outbound.checker.doubled
        testBed.findings.demand(doubled == 0, "\(doubled) came twice")
        let grown = daemon.child.residentMemory - memory
        testBed.findings.demand(grown < memoryBound, "memory grew by \(grown >> 20) MiB")
        let opened = daemon.child.descriptors - files
        testBed.findings.demand(opened <= fileBound, "\(opened) files more are open")
        try testBed.close(daemon, of: installation)
        receiver.end()
        testBed.findings.note("\(times) reloads, \(broken) of them refused; connected once; memory +\(grown >> 10) KiB")
    }

    private static func more(_ number: Int) -> String {
        "topic: \"more\(number)/{x}\", event: \"more\(number).{x}\", direction: in, broker: b"
    }
}
