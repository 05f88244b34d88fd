internal import FaultKit
internal import Foundation

/// F20: the wall clock goes forward and back by a day while messages that expire in an hour wait in the store.
enum ClockJump {
    static func run(_ testBed: TestBed) throws {
        guard let library = findLibrary() else {
            throw Unavailable(reason: "libfaketime is not installed (Debian: apt install faketime)")
        }
        let broker = try testBed.broker()
        let receiver = try testBed.receiver(at: broker)
        let installation = try testBed.installation(port: broker.port)
        let offset = "\(testBed.folder)/clock"
        try set(days: 0, in: offset)
        installation.environment = [
            "LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": offset, "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1",
        ]
        let load = Publisher.Load(rate: testBed.options.rate / 10, size: 64, expiry: .seconds(3_600))
        let daemon = try testBed.start(installation, feeding: load)
        testBed.expectedAlive = daemon
        let publisher = try testBed.publisher(to: broker, load)
        for _ in 0..<testBed.options.extent(1, 5) {
            for jump in [1, 0, -1, 0] {
                // Messages that wait while the clock jumps must not expire.
                daemon.isOutputPaused = true
                try testBed.pause(testBed.random.milliseconds(300...700))
                try set(days: jump, in: offset)
                try demandJump(jump, installation.environment, testBed)
                try testBed.pause(testBed.random.milliseconds(300...700))
                daemon.isOutputPaused = false
                try testBed.pause(testBed.random.milliseconds(200...500))
            }
        }
        try testBed.settle(publisher)
        daemon.feeder?.end()
        try testBed.drain()
        testBed.findings.demand(daemon.child.maps("libfaketime"), "the daemon runs without libfaketime")
        let connections = daemon.notices("connected")
        testBed.findings.demand(connections == 1, "connected \(connections) times, not once")
        try testBed.close(daemon, of: installation)
        receiver.end()
        testBed.findings.note("the clock moved by a day \(testBed.options.extent(4, 20)) times; connected once")
    }

    private static func findLibrary() -> String? {
        let folders = ["/usr/lib", "/usr/local/lib"].flatMap { base in
            let names = (try? FileManager.default.contentsOfDirectory(atPath: base)) ?? []
            return ["\(base)/faketime"] + names.map { "\(base)/\($0)/faketime" }
        }
        // The variant for multi-threaded programs.
        return folders.map { "\($0)/libfaketimeMT.so.1" }.first { FileManager.default.fileExists(atPath: $0) }
    }

    private static func set(days: Int, in file: String) throws {
        let offset = days < 0 ? "\(days)d\n" : "+\(days)d\n"
        try Data(offset.utf8).write(to: URL(fileURLWithPath: file), options: .atomic)
    }

    /// Demands that another program sees the jump with the same settings.
    private static func demandJump(_ days: Int, _ environment: [String: String], _ testBed: TestBed) throws {
        let date = try Shell.run("date", ["+%s"], environment: ProcessInfo.processInfo.environment(with: environment))
        let seen = Double(date.stdout.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
        let difference = seen - Date().timeIntervalSince1970
        let isThere = abs(difference - Double(days) * 86_400) < 60
        testBed.findings.demand(isThere, "the clock did not move to \(days) days from now")
    }
}
