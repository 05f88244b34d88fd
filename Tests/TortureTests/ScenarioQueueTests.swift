import TestSupport
import Testing

@testable import Torture

@Suite("ScenarioQueue")
struct ScenarioQueueTests {
    private let scenarios = (0..<4).map { Scenario("F\($0)", "") { _ in } }
    private let reported = Locked<[String]>([])

    private func queue() -> ScenarioQueue {
        ScenarioQueue(scenarios) { [reported] report in reported.withLock { $0.append(report.scenario) } }
    }

    private func report(_ position: Int, _ verdict: Report.Verdict = .held) -> Report {
        Report(scenario: "F\(position)", title: "", seed: 1, verdict: verdict)
    }

    @Test("reports come in the order of the scenarios, whichever ends first")
    func order() throws {
        let queue = queue()
        let begun = (0..<4).compactMap { _ in queue.next()?.0 }
        let isEmpty = queue.next() == nil
        #expect(begun == [0, 1, 2, 3] && isEmpty)
        for (position, expected) in [(2, 0), (0, 1), (3, 1), (1, 4)] {
            queue.ended(position, report(position))
            #expect(reported.withLock { $0.count } == expected)
        }
        #expect(reported.withLock { $0 } == ["F0", "F1", "F2", "F3"])
        #expect(queue.broken?.isEmpty == true)
    }

    @Test("one broken promise breaks the run, which goes on")
    func broken() {
        let queue = queue()
        _ = (queue.next(), queue.next())
        queue.ended(1, report(1, .broken))
        queue.ended(0, report(0))
        #expect(queue.broken?.count == 1 && queue.next()?.0 == 2)
    }

    @Test("a cancelled run begins nothing more, and has no verdict")
    func cancelled() {
        let queue = queue()
        _ = (queue.next(), queue.next())
        queue.ended(1, nil)
        queue.ended(0, report(0))
        #expect(queue.broken == nil && queue.next() == nil)
        #expect(reported.withLock { $0 } == ["F0"])
    }
}
