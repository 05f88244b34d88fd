internal import FaultKit
internal import Glibc

/// The resources of one scenario: a folder, ledgers, random numbers and everything that it starts.
///
/// Used on the thread of the run. When ``use(_:options:isCancelled:_:)`` returns, everything that was started through the
/// test bed has ended, in reverse order.
final class TestBed {
    let options: TortureOptions
    private let temporary: TemporaryDirectory
    let inbound = Ledger(.inbound)
    let outbound = Ledger(.outbound)
    var random: SplitMix64
    var findings = Findings()
    /// Whether reordered messages are counted but break nothing.
    var toleratesReordering = false
    /// The daemon that must not end: if it does, waiting fails.
    var expectedAlive: Daemon?

    private let isCancelled: () -> Bool
    private var endings: [() -> Void] = []

    private init(options: TortureOptions, scenario: String, isCancelled: @escaping () -> Bool) throws {
        self.options = options
        self.isCancelled = isCancelled
        random = SplitMix64(seed: options.seed, scenario: scenario)
        temporary = try TemporaryDirectory()
    }

    /// Runs `body` with a new test bed and clears it away, even if `body` throws.
    static func use(
        _ scenario: String,
        options: TortureOptions,
        isCancelled: @escaping () -> Bool,
        _ body: (TestBed) throws -> Void
    ) throws -> TestBed {
        let testBed = try TestBed(options: options, scenario: scenario, isCancelled: isCancelled)
        defer { testBed.clear() }
        try body(testBed)
        return testBed
    }

    /// The temporary folder.
    var folder: String { temporary.path }

    /// Registers an action for the end; actions run in reverse order.
    func atEnd(_ ending: @escaping () -> Void) { endings.append(ending) }

    private func clear() {
        for ending in endings.reversed() { ending() }
        endings = []
        temporary.remove()
    }

    // MARK: Brokers, daemons and clients

    /// Starts a broker.
    func broker(_ options: BrokerOptions = BrokerOptions()) throws -> MosquittoBroker {
        let broker = try MosquittoBroker.start(configuration: options.configuration)
        atEnd { broker.kill() }
        return broker
    }

    /// Mounts a small file system for the store of an installation that has none yet.
    func smallDisk(for installation: Installation, megabytes: Int) throws -> SmallDisk {
        let disk = try SmallDisk(kilobytes: megabytes * 1_024, at: "\(installation.folder)/store")
        atEnd { disk.unmount() }
        return disk
    }

    func proxy(to broker: MosquittoBroker) throws -> TCPProxy {
        let proxy = try TCPProxy(to: broker.port)
        atEnd { proxy.stop() }
        return proxy
    }

    /// Creates an installation whose daemons connect to `port`.
    ///
    /// - Parameters:
    ///   - inbound: The ledger of the events that they print; nil for the test bed's.
    ///   - outbound: The ledger of the events that are fed to them; nil for the test bed's.
    func installation(
        port: Int,
        name: String = "daemon",
        inbound: Ledger? = nil,
        outbound: Ledger? = nil
    ) throws -> Installation {
        try Installation(
            executable: options.executable,
            folder: "\(folder)/\(name)",
            configuration: DaemonConfiguration(port: port),
            inbound: inbound ?? self.inbound,
            outbound: outbound ?? self.outbound
        )
    }

    /// Starts a daemon and waits until its routes are subscribed.
    func start(_ installation: Installation, feeding load: Publisher.Load? = nil) throws -> Daemon {
        let daemon = try begin(installation, feeding: load)
        try ready(daemon)
        return daemon
    }

    /// Starts a daemon without waiting.
    func begin(
        _ installation: Installation,
        feeding load: Publisher.Load? = nil,
        crashPoint: String? = nil
    ) throws -> Daemon {
        let daemon = try installation.start(feeding: load, crashPoint: crashPoint)
        atEnd { daemon.kill() }
        return daemon
    }

    func ready(_ daemon: Daemon) throws {
        let isReady = try wait(upTo: .seconds(20)) { daemon.isReady || daemon.child.exitStatus != nil }
        guard isReady, daemon.child.exitStatus == nil else {
            throw Failure(
                "the daemon is not ready (\(daemon.child.exitStatus?.description ?? "it runs")): \(daemon.complaints.suffix(500))"
            )
        }
    }

    /// - Parameters:
    ///   - other: A second broker that gets each message; nil for none.
    ///   - ledgers: The ledgers of the messages; nil for the test bed's inbound ledger.
    func publisher(
        to broker: MosquittoBroker,
        and other: MosquittoBroker? = nil,
        _ load: Publisher.Load,
        ledgers: [Ledger]? = nil
    ) throws -> Publisher {
        let ports = [broker, other].compactMap { $0?.port }
        let publisher = try Publisher(ports: ports, ledgers: ledgers ?? [inbound], load: load)
        atEnd { publisher.end() }
        return publisher
    }

    func receiver(
        at broker: MosquittoBroker,
        ledger: Ledger? = nil,
        filters: [String] = ["out/#"]
    ) throws -> Subscriber {
        let receiver = try Subscriber(port: broker.port, ledger: ledger ?? outbound, filters: filters)
        atEnd { receiver.end() }
        return receiver
    }

    func stranger(at broker: MosquittoBroker, name: String = "torture-stranger", filters: [String] = []) throws
        -> Stranger
    {
        let stranger = try Stranger(port: broker.port, name: name, filters: filters)
        atEnd { stranger.end() }
        return stranger
    }

    // MARK: Waiting

    /// Waits until `condition` holds; returns false if that takes longer than `limit`.
    ///
    /// - Throws: `CancellationError` if the run is cancelled, ``Failure`` if ``expectedAlive`` has ended.
    func wait(upTo limit: Duration, until condition: () -> Bool) throws -> Bool {
        let deadline = ContinuousClock.now + limit
        while true {
            if isCancelled() { throw CancellationError() }
            if let ending = expectedAlive?.child.exitStatus {
                throw Failure("the daemon ended with \(ending): \(expectedAlive?.complaints.suffix(500) ?? "")")
            }
            if condition() { return true }
            if ContinuousClock.now >= deadline { return false }
            usleep(1_000)
        }
    }

    func pause(_ duration: Duration) throws { _ = try wait(upTo: duration) { false } }

    /// Waits until `condition` holds; returns false when `count` has not changed for 30 s. A slow machine may take as long as it
    /// needs, 600 s at most.
    ///
    /// - Throws: As ``wait(upTo:until:)``.
    func wait(whileChanging count: () -> Int, until condition: () -> Bool) throws -> Bool {
        var (last, since) = (count(), ContinuousClock.now)
        var holds = false
        _ = try wait(upTo: .seconds(600)) {
            holds = condition()
            let now = count()
            if now != last { (last, since) = (now, .now) }
            return holds || since + .seconds(30) < .now
        }
        return holds
    }

    /// Waits until all promised messages were seen and none has arrived for a while. Messages missing when none has arrived for
    /// 30 s are lost.
    ///
    /// - Parameter ledgers: The ledgers to wait for; nil for the test bed's.
    func drain(_ ledgers: [Ledger]? = nil, quiet: Duration = .seconds(2)) throws {
        let ledgers = ledgers ?? [inbound, outbound]
        _ = try wait(whileChanging: { ledgers.reduce(0) { $0 + $1.sightings } }) {
            ledgers.allSatisfy { $0.isComplete && $0.silence > quiet }
        }
    }

    /// Stops publishing and waits until the broker has acknowledged all published messages.
    func settle(_ publisher: Publisher, upTo limit: Duration = .seconds(20)) throws {
        publisher.isPublishing = false
        let isSettled = try wait(upTo: limit) { publisher.unacknowledged == 0 }
        if let failure = publisher.failure { throw Failure("the publisher gave up: \(failure)") }
        findings.demand(isSettled, "the broker left \(publisher.unacknowledged) messages unacknowledged")
    }

    /// Waits until the broker has acknowledged all messages of a stranger.
    func settle(_ stranger: Stranger) throws {
        let isSettled = try wait(upTo: .seconds(20)) { stranger.unacknowledged == 0 }
        findings.demand(isSettled, "the broker left \(stranger.unacknowledged) messages of a stranger unacknowledged")
    }

    // MARK: Common checks

    /// Ends a daemon with SIGTERM and demands that its store is sound.
    func close(_ daemon: Daemon, of installation: Installation) throws {
        expectedAlive = nil
        let ending = daemon.terminate()
        findings.demand(ending == .exited(0), "SIGTERM ended the daemon with \(ending?.description ?? "nothing")")
        try demandSoundStore(installation)
    }

    /// Ends a daemon with SIGKILL or SIGTERM, and demands that it had not ended before.
    func end(_ daemon: Daemon, isKilled: Bool) {
        if isKilled {
            findings.demand(
                daemon.kill(),
                "the daemon had ended before it was killed: \(daemon.complaints.suffix(300))"
            )
        } else {
            let ending = daemon.terminate()
            findings.demand(ending == .exited(0), "SIGTERM ended the daemon with \(ending?.description ?? "nothing")")
        }
    }

    func demandSoundStore(_ installation: Installation) throws {
        let check = try installation.command("store", "check")
        findings.demand(
            check.status.isSuccess,
            "store check: \(check.status): \((check.stdout + check.stderr).suffix(300))"
        )
    }
}
