internal import FaultKit
internal import Foundation
internal import Glibc
internal import Programs

/// F21: the store's file system is full, read-only, or fails to sync. Parts that cannot run on this machine are noted.
enum FailingDisk {
    static func run(_ testBed: TestBed) throws {
        let broker = try testBed.broker(.init(inFlight: 200))
        let proxy = try testBed.proxy(to: broker)
        let receiver = try testBed.receiver(at: broker)
        // The broker keeps messages only for an existing session.
        let first = try testBed.installation(port: broker.port, name: "first")
        try testBed.close(testBed.start(first), of: first)
        let parts: [(String, (TestBed, MosquittoBroker, TCPProxy) throws -> Void)] = [
            ("disk full", full), ("EIO", failingSync), ("read-only", readOnly),
        ]
        var tried = 0
        for (name, part) in parts {
            do {
                try part(testBed, broker, proxy)
                tried += 1
            } catch let unavailable as Unavailable {
                testBed.findings.note("\(name): skipped, \(unavailable.reason)")
            }
        }
        receiver.end()
        if tried == 0 { throw Unavailable(reason: testBed.findings.text) }
    }

    /// Fills the disk twice: once the daemon resumes by itself, once it is killed while the disk is full.
    private static func full(_ testBed: TestBed, _ broker: MosquittoBroker, _ proxy: TCPProxy) throws {
        let installation = try testBed.installation(port: proxy.port, name: "full")
        let disk = try testBed.smallDisk(for: installation, megabytes: 24)
        let load = Publisher.Load(rate: 400, size: 1_536)
        let publisher = try testBed.publisher(to: broker, load)
        for isKilled in [false, true] {
            var daemon = try testBed.start(installation, feeding: load)
            publisher.isPublishing = true
            try testBed.pause(.milliseconds(500))
            // While the output is not read, the store has to grow.
            daemon.isOutputPaused = true
            try disk.fill()
            try demandStandstill("disk full", daemon, proxy, testBed)
            publisher.isPublishing = false
            daemon.feeder?.isFeeding = false
            if isKilled { testBed.findings.demand(daemon.kill(), "the daemon had ended on a full disk") }
            try disk.empty()
            daemon.isOutputPaused = false
            if isKilled { daemon = try testBed.start(installation) }
            try finish(daemon, installation, publisher, testBed)
        }
        publisher.end()
        testBed.findings.note("disk full: nothing acknowledged meanwhile, resumed")
    }

    /// Makes every sync fail for a while.
    private static func failingSync(_ testBed: TestBed, _ broker: MosquittoBroker, _ proxy: TCPProxy) throws {
        _ = try Program.required("strace")
        let installation = try testBed.installation(port: proxy.port, name: "eio")
        let load = Publisher.Load(rate: 250, size: 1_024)
        let daemon = try testBed.start(installation, feeding: load)
        let publisher = try testBed.publisher(to: broker, load)
        try testBed.pause(.milliseconds(500))
        let log = "\(testBed.folder)/strace.log"
        let arguments = [
            "-f", "-q", "-p", String(daemon.child.processID), "-o", log, "-e", "trace=fdatasync,fsync",
            "-e", "inject=fdatasync,fsync:error=EIO",
        ]
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(null) }
        let streams = SpawnedProcess.Streams(input: null, output: null, errors: null)
        let tracer = try SpawnedProcess.spawn("strace", arguments, streams: streams)
        testBed.atEnd { tracer.kill() }
        let isHit = try testBed.wait(upTo: .seconds(10)) {
            tracer.exitStatus != nil
                || ((try? String(contentsOfFile: log, encoding: .utf8)) ?? "").contains("(INJECTED)")
        }
        guard isHit, tracer.exitStatus == nil else { throw Unavailable(reason: "strace cannot attach here") }
        try demandStandstill("EIO", daemon, proxy, testBed)
        tracer.signal(SIGINT)
        _ = tracer.waitBlocking(within: .seconds(5))
        publisher.isPublishing = false
        daemon.feeder?.isFeeding = false
        try finish(daemon, installation, publisher, testBed)
        publisher.end()
        testBed.findings.note("EIO: nothing acknowledged meanwhile, resumed")
    }

    /// Starts a daemon whose store is read-only.
    private static func readOnly(_ testBed: TestBed, _ broker: MosquittoBroker, _ proxy: TCPProxy) throws {
        let installation = try testBed.installation(port: proxy.port, name: "readonly")
        let disk = try testBed.smallDisk(for: installation, megabytes: 24)
        try testBed.close(testBed.start(installation), of: installation)
        let publisher = try testBed.publisher(to: broker, .init(rate: 250, size: 1_024))
        try disk.remount(readOnly: true)
        let acknowledged = proxy.packets(.puback, .toServer)
        let refused = try testBed.begin(installation)
        try testBed.pause(.seconds(2))
        testBed.findings.demand(
            proxy.packets(.puback, .toServer) == acknowledged,
            "read-only: acknowledged what cannot be stored"
        )
        refused.kill()
        testBed.findings.demand(!refused.complaints.isEmpty, "read-only: nothing was said")
        try disk.remount(readOnly: false)
        try finish(testBed.start(installation), installation, publisher, testBed)
        publisher.end()
        testBed.findings.note(
            "read-only: \(refused.child.exitStatus == .signalled(SIGKILL) ? "waited" : "refused to start")"
        )
    }

    /// While nothing can be stored, nothing is acknowledged and no receipt says "stored".
    private static func demandStandstill(_ name: String, _ daemon: Daemon, _ proxy: TCPProxy, _ testBed: TestBed) throws
    {
        func progress() -> [Int] { [proxy.packets(.puback, .toServer), daemon.feeder?.stored ?? 0] }
        var last = progress()
        var since = ContinuousClock.now
        let stands = try testBed.wait(upTo: .seconds(20)) {
            let current = progress()
            if current != last { (last, since) = (current, .now) }
            return since + .milliseconds(1_500) < .now
        }
        testBed.findings.demand(stands, "\(name): acknowledgements went on for 20 s")
        let sent = testBed.inbound.sent + testBed.outbound.sent
        try testBed.pause(.seconds(2))
        testBed.findings.demand(progress() == last, "\(name): something was acknowledged in the middle")
        testBed.findings.demand(testBed.inbound.sent + testBed.outbound.sent > sent, "\(name): there was no traffic")
        testBed.findings.demand(daemon.child.exitStatus == nil, "\(name): the daemon ended")
        testBed.findings.demand(!daemon.complaints.isEmpty, "\(name): nothing was said on standard error")
    }

    /// Waits until everything has arrived without intervention, and ends the daemon.
    private static func finish(
        _ daemon: Daemon,
        _ installation: Installation,
        _ publisher: Publisher,
        _ testBed: TestBed
    ) throws {
        try testBed.settle(publisher)
        try testBed.drain()
        daemon.feeder?.end()
        try testBed.close(daemon, of: installation)
    }
}
