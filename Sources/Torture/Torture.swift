internal import FaultKit
internal import Foundation
internal import Locking

/// What to do, and how hard.
package struct TortureOptions: Sendable {
    /// How much of everything.
    package enum Extent: Sendable {
        /// About five minutes in all.
        case short
        /// The numbers that the promise was tested with.
        case long
    }

    /// The executable that is tortured: `mqtt-bridge`.
    package var executable: String
    /// How much of everything.
    package var extent: Extent = .short
    /// How often the bridge is killed in F1 and F2; nil for what the extent says.
    package var kills: Int?
    /// Messages a second.
    package var rate = 2_000
    /// What the random choices begin with.
    package var seed: UInt64

    /// Options with these defaults.
    package init(executable: String, seed: UInt64) {
        self.executable = executable
        self.seed = seed
    }

    /// One number for the short set, one for the long one.
    func extent(_ short: Int, _ long: Int) -> Int { extent == .short ? short : long }
}

/// Harms a broker and a daemon of its own as the list of faults says, and counts what that did to messages.
///
/// Everything happens on 127.0.0.1 and in temporary folders; nothing of the user's is touched.
package struct Torture: Sendable {
    private let options: TortureOptions

    /// A run with these options.
    package init(options: TortureOptions) {
        self.options = options
    }

    /// The names of all scenarios, in their order.
    package static var names: [String] { Scenario.all.map(\.name) }

    /// Whether there is a broker on this machine that can be harmed.
    package static var hasBroker: Bool { MosquittoBroker.isInstalled }

    /// Runs scenarios one after the other; empty names mean all of them.
    ///
    /// When the task is cancelled the scenario that runs is given up, its processes end, and no report is made of it.
    ///
    /// - Parameter report: Called with each report as soon as there is one, on a thread of the run.
    /// - Returns: Whether the promise held in every scenario that was tried.
    /// - Throws: `CancellationError`.
    package func run(_ names: [String], report: @escaping @Sendable (Report) -> Void) async throws -> Bool {
        let cancelled = Locked(false)
        let options = options
        let held: Bool? = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let thread = Thread {
                    var allHeld = true
                    for scenario in Scenario.all where names.isEmpty || names.contains(scenario.name) {
                        guard let result = scenario.run(options, isCancelled: { cancelled.withLock { $0 } }) else {
                            return continuation.resume(returning: nil)
                        }
                        report(result)
                        if result.verdict == .broken { allHeld = false }
                    }
                    continuation.resume(returning: allHeld)
                }
                thread.stackSize = 8 << 20
                thread.name = "torture"
                thread.start()
            }
        } onCancel: {
            cancelled.withLock { $0 = true }
        }
        guard let held else { throw CancellationError() }
        return held
    }
}
