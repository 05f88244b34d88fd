import TestSupport

@testable import MQTTBridge

/// Counts the calls of a ``CommitScheduler``.
final class CommitTargetProbe: CommitTarget {
    private struct State {
        var commitCalls = 0
        var waits: [UInt64?] = []
        var asked: [UInt64] = []
        var retries = 0
        var reads: [String] = []
    }

    private let state = Locked(State())

    /// - Parameter waits: What ``commits(newerThan:)`` answers, one after the other, and nil after that.
    init(waits: [UInt64] = []) { state.withLock { $0.waits = waits } }

    var commitCalls: Int { state.withLock { $0.commitCalls } }
    /// The numbers of commits that were asked about.
    var asked: [UInt64] { state.withLock { $0.asked } }
    var retries: Int { state.withLock { $0.retries } }
    var reads: [String] { state.withLock { $0.reads } }

    var commits: UInt64 { 7 }

    func commits(newerThan commits: UInt64) -> UInt64? {
        state.withLock { state in
            state.asked.append(commits)
            return state.waits.isEmpty ? nil : state.waits.removeFirst()
        }
    }

    func commitPending() { state.withLock { $0.commitCalls += 1 } }

    func retry() { state.withLock { $0.retries += 1 } }

    func readOn(for broker: String) { state.withLock { $0.reads.append(broker) } }
}
