internal import Locking

/// The scenarios of a run, for the threads that run them. Passes reports on in the order of the scenarios.
final class ScenarioQueue: Sendable {
    private struct State {
        var nextScenario = 0
        var nextReport = 0
        /// The reports that wait for those of earlier scenarios.
        var reports: [Int: Report] = [:]
        var isCancelled = false
        /// In the order in which they ended.
        var broken: [Report] = []
    }

    private let scenarios: [Scenario]
    private let report: @Sendable (Report) -> Void
    private let state = Locked(State())

    init(_ scenarios: [Scenario], report: @escaping @Sendable (Report) -> Void) {
        self.scenarios = scenarios
        self.report = report
    }

    /// The reports of the scenarios in which the promise did not hold; nil if the run was cancelled.
    var broken: [Report]? { state.withLock { $0.isCancelled ? nil : $0.broken } }

    /// The next scenario and its position; nil when all have begun, or the run was cancelled.
    func next() -> (Int, Scenario)? {
        state.withLock { state in
            guard !state.isCancelled, state.nextScenario < scenarios.count else { return nil }
            defer { state.nextScenario += 1 }
            return (state.nextScenario, scenarios[state.nextScenario])
        }
    }

    /// - Parameter result: The report of the scenario; nil if it was aborted.
    func ended(_ position: Int, _ result: Report?) {
        state.withLock { state in
            guard let result else {
                state.isCancelled = true
                return
            }
            if result.verdict == .broken { state.broken.append(result) }
            state.reports[position] = result
            // Under the lock, so that no other report overtakes it.
            while let due = state.reports.removeValue(forKey: state.nextReport) {
                report(due)
                state.nextReport += 1
            }
        }
    }
}
