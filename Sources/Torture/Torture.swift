internal import FaultKit
internal import Foundation
internal import Locking

/// The options of a run.
package struct TortureOptions: Sendable {
    /// The amount of work of a run.
    package enum Extent: Sendable {
        /// About five minutes in total, or three with two jobs.
        case short
        /// The numbers with which the promise was tested.
        case long
    }

    /// The path of the executable under test, `mqtt-bridge`.
    package var executable: String
    /// The amount of work.
    package var extent: Extent = .short
    /// The number of kills in F1 and F2; nil for the number of the extent.
    package var kills: Int?
    /// Messages per second.
    package var rate = 2_000
    /// The number of scenarios that run at the same time, 1 or more.
    package var jobs = 1
    /// The seed of the random choices.
    package var seed: UInt64

    /// Creates options with the defaults.
    package init(executable: String, seed: UInt64) {
        self.executable = executable
        self.seed = seed
    }

    /// Returns the number for the extent.
    func extent(_ short: Int, _ long: Int) -> Int { extent == .short ? short : long }
}

/// Runs the fault scenarios against its own broker and daemon, and counts lost, doubled and reordered messages.
///
/// Uses only 127.0.0.1 and temporary folders, none of the user's data.
package struct Torture: Sendable {
    private let options: TortureOptions

    /// Creates a run.
    package init(options: TortureOptions) {
        self.options = options
    }

    /// The names of all scenarios, in order.
    package static var names: [String] { Scenario.all.map(\.name) }

    /// Whether mosquitto is installed on this machine.
    package static var hasBroker: Bool { MosquittoBroker.isInstalled }

    /// Runs scenarios in order, as many at the same time as the options say; empty `names` means all of them.
    ///
    /// If the task is cancelled, the running scenarios are aborted, their processes end, and they have no report.
    ///
    /// - Parameter report: Called with each report in the order of the scenarios, one at a time, on a thread of the run.
    /// - Returns: The reports of the scenarios in which the promise did not hold.
    /// - Throws: `CancellationError`.
    package func run(_ names: [String], report: @escaping @Sendable (Report) -> Void) async throws -> [Report] {
        let cancelled = Locked(false)
        let options = options
        let queue = ScenarioQueue(Scenario.all.filter { names.isEmpty || names.contains($0.name) }, report: report)
        let broken: [Report]? = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let running = Locked(options.jobs)
                for _ in 0..<options.jobs {
                    let thread = Thread {
                        while let (position, scenario) = queue.next() {
                            queue.ended(position, scenario.run(options, isCancelled: { cancelled.withLock { $0 } }))
                        }
                        let isLast = running.withLock { running in
                            running -= 1
                            return running == 0
                        }
                        if isLast { continuation.resume(returning: queue.broken) }
                    }
                    thread.stackSize = 8 << 20
                    thread.name = "torture"
                    thread.start()
                }
            }
        } onCancel: {
            cancelled.withLock { $0 = true }
        }
        guard let broken else { throw CancellationError() }
        return broken
    }
}
