internal import FaultKit
internal import Foundation
internal import Locking

/// Runs rounds on all processors until the requested number of images is checked.
package struct PowerCutRun: Sendable {
    private let seed: UInt64
    private let images: Int
    private static let imagesOfRound = 1_000

    package init(seed: UInt64, images: Int) {
        (self.seed, self.images) = (seed, images)
    }

    fileprivate struct Progress: Sendable {
        var next = 0
        var outcomes: [Int: PowerCutRound.Outcome] = [:]
        var running: Int
        var failure: (any Error)?
        var isCancelled = false
    }

    /// - Throws: `CancellationError`, or the reason why images cannot be made.
    package func run() async throws -> PowerCutRound.Outcome {
        let threads = ProcessInfo.processInfo.activeProcessorCount
        let progress = Locked(Progress(running: threads))
        let isComplete = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // Threads instead of tasks, which would occupy the whole concurrency pool.
                for _ in 0..<threads {
                    let thread = Thread {
                        work(progress)
                        let isLast = progress.withLock { progress in
                            progress.running -= 1
                            return progress.running == 0
                        }
                        if isLast { continuation.resume() }
                    }
                    thread.stackSize = 8 << 20
                    thread.start()
                }
            }
            return progress.withLock { !$0.isCancelled }
        } onCancel: {
            progress.withLock { $0.isCancelled = true }
        }
        guard isComplete else { throw CancellationError() }
        let result = progress.withLock { $0 }
        if let failure = result.failure { throw failure }
        return result.outcomes.sorted { $0.key < $1.key }.reduce(into: .init()) { $0.add($1.value) }
    }

    private func work(_ progress: Locked<Progress>) {
        while let number = progress.withLock({ $0.take(rounds) }) {
            do {
                let outcome = try round(number).run { progress.withLock { $0.isCancelled } }
                progress.withLock { $0.outcomes[number] = outcome }
            } catch {
                progress.withLock { $0.failure = $0.failure ?? error }
            }
        }
    }

    private var rounds: Int { (images + Self.imagesOfRound - 1) / Self.imagesOfRound }

    /// Returns a round. The first one has the seed of the run, so that a round's own seed repeats its violation.
    private func round(_ number: Int) -> PowerCutRound {
        var random = SplitMix64(seed: seed &+ UInt64(number) &* 0xD134_2543_DE82_EF95)
        let own = number == 0 ? seed : random.next() >> 16
        return PowerCutRound(seed: own, images: min(Self.imagesOfRound, images - number * Self.imagesOfRound))
    }
}

extension PowerCutRun.Progress {
    fileprivate mutating func take(_ rounds: Int) -> Int? {
        guard next < rounds, failure == nil, !isCancelled else { return nil }
        defer { next += 1 }
        return next
    }
}
