internal import Locking

/// The clock of a simulation, which advances only when no work is ready.
// SAFETY: used by the one thread of the simulation.
struct SimulatedClock: Clock, @unchecked Sendable {
    /// An instant of the simulation.
    struct Instant: InstantProtocol {
        /// The time since the start of the simulation.
        var time: Duration

        func advanced(by duration: Duration) -> Instant { Instant(time: time + duration) }

        func duration(to other: Instant) -> Duration { other.time - time }

        static func < (left: Instant, right: Instant) -> Bool { left.time < right.time }
    }

    let loop: EventLoop

    var now: Instant { Instant(time: loop.time) }

    var minimumResolution: Duration { .zero }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let sleeper = Sleeper()
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                sleeper.begin(continuation)
                loop.addSleeper(after: now.duration(to: deadline)) { sleeper.end(.success(())) }
                if Task.isCancelled { sleeper.end(.failure(CancellationError())) }
            }
        } onCancel: {
            sleeper.end(.failure(CancellationError()))
        }
    }
}

/// A sleeping task, resumed once, by the clock or by its cancellation.
private final class Sleeper: Sendable {
    private let continuation = Locked<CheckedContinuation<Void, any Error>?>(nil)

    func begin(_ continuation: CheckedContinuation<Void, any Error>) {
        self.continuation.withLock { $0 = continuation }
    }

    func end(_ result: Result<Void, any Error>) {
        let continuation = continuation.withLock { continuation in
            defer { continuation = nil }
            return continuation
        }
        continuation?.resume(with: result)
    }
}
