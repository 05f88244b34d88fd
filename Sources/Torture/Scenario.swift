internal import FaultKit

/// A row of the list of faults, with the code that tests it.
struct Scenario: Sendable {
    /// The number of the fault.
    let name: String
    /// A short description of the fault.
    let title: String
    private let body: @Sendable (TestBed) throws -> Void

    init(_ name: String, _ title: String, _ body: @escaping @Sendable (TestBed) throws -> Void) {
        (self.name, self.title, self.body) = (name, title, body)
    }

    static let all = [
        Scenario("F1", "kill -9, inbound", KillBridge.inbound),
        Scenario("F2", "kill -9, outbound", KillBridge.outbound),
        Scenario("F3", "crash points", CrashPoints.run),
        Scenario("F4", "broker restarts", RestartBroker.terminated),
        Scenario("F5", "broker kill -9", RestartBroker.killed),
        Scenario("F6", "cut after byte n", CutConnection.run),
        Scenario("F8", "slow line", Stalls.slowLine),
        Scenario("F9", "broker stops reading", StalledPeer.broker),
        Scenario("away", "broker away, then back", BrokerAway.run),
        Scenario("F10", "listener is slow", StalledPeer.listener),
        Scenario("F11", "listener fails", FailingListener.run),
        Scenario("F15", "payload sizes", PayloadSizes.run),
        Scenario("F20", "clock jumps a day", ClockJump.run),
        Scenario("F21", "disk full, EIO, read-only", FailingDisk.run),
        Scenario("F22", "damaged store", DamagedStore.run),
        Scenario("F23", "two daemons, one store", SecondDaemon.run),
        Scenario("F24", "refusals", Refusals.run),
        Scenario("F26", "SIGTERM under load", TerminateBridge.run),
        Scenario("F27", "SIGHUP under load", HangUpSignal.run),
        Scenario("F33", "ends in order", EndInOrder.run),
        Scenario("F34", "broker hangs up at messages", HangUps.run),
        Scenario("F35", "one of two brokers ends", OneBrokerEnds.run),
        Scenario("F36", "edited routes", EditedRoutes.run),
        Scenario("F37", "silent line", Stalls.silentLine),
        Scenario("F38", "hostile packets", HostileBroker.run),
        Scenario("F39", "forged identities", ForgedIdentities.run),
        Scenario("F40", "disk full of backlog", FullOfBacklog.run),
        Scenario("F41", "retained state, cut line", RetainedState.run),
        Scenario("F42", "one identity, two brokers", SharedIdentity.run),
        Scenario("F43", "damage while it runs", DamagedRow.run),
    ]

    /// Runs the scenario; returns nil if the run was cancelled.
    func run(_ options: TortureOptions, isCancelled: @escaping () -> Bool) -> Report? {
        let begin = ContinuousClock.now
        var report = Report(scenario: name, title: title, seed: options.seed, verdict: .held)
        var ledgers: (inbound: Ledger, outbound: Ledger)?
        var findings = Findings()
        var toleratesReordering = false
        do {
            _ = try TestBed.use(name, options: options, isCancelled: isCancelled) { testBed in
                ledgers = (testBed.inbound, testBed.outbound)
                defer { (findings, toleratesReordering) = (testBed.findings, testBed.toleratesReordering) }
                try body(testBed)
            }
        } catch let unavailable as Unavailable {
            report.verdict = .skipped
            report.note = unavailable.reason
            return report
        } catch is CancellationError {
            return nil
        } catch {
            findings.demand(false, "\(error)")
        }
        if let ledgers {
            for checker in [ledgers.inbound.checker, ledgers.outbound.checker] {
                report.add(checker, &findings, toleratesReordering)
            }
        }
        report.seconds = (ContinuousClock.now - begin).inSeconds
        report.note = findings.text
        report.verdict = findings.violations.isEmpty ? .held : .broken
        return report
    }
}

extension Report {
    fileprivate mutating func add(_ checker: Checker, _ findings: inout Findings, _ toleratesReordering: Bool) {
        sent += checker.sent
        lost += checker.missing
        doubled += checker.doubled
        doubledUnrecognised += checker.unrecognised
        reordered += checker.reordered
        let examples = checker.missingParcels(atMost: 3).map { "\($0.key):\($0.number)" }.joined(separator: " ")
        findings.demand(checker.missing == 0, "\(checker.missing) lost (\(examples))")
        findings.demand(checker.unrecognised == 0, "\(checker.unrecognised) doubles not recognised")
        findings.demand(checker.reordered == 0 || toleratesReordering, "\(checker.reordered) reordered")
        findings.demand(checker.strange == 0, "\(checker.strange) lines or payloads that nobody sent")
    }
}
