import Locking

/// A clock that stands still until a test advances it: for the retries, time limits and pauses of a bus.
///
/// ```swift
/// let clock = TestClock()
/// let bus = EventBus(clock: clock)
/// bus.on("a", .retry(2, shortest: .seconds(1), longest: .seconds(1))) { event in … }
/// bus.emit("a")
/// await clock.sleepsBegun(1)       // the first attempt has failed
/// clock.advance(by: .seconds(1))   // the second one begins
/// ```
public final class TestClock: Clock {
    /// A moment, since the clock was made.
    public struct Instant: InstantProtocol {
        let offset: Duration

        /// The moment after a duration.
        public func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        /// The duration until another moment.
        public func duration(to other: Instant) -> Duration { other.offset - offset }
        /// Whether the left moment comes before the right one.
        public static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    private struct State {
        var now = Instant(offset: .zero)
        var sleepers: [UInt64: (deadline: Instant, continuation: CheckedContinuation<Void, any Error>)] = [:]
        var begun = 0
        /// Those that wait for sleeps to begin.
        var waiters: [UInt64: (count: Int, continuation: CheckedContinuation<Void, Never>)] = [:]
        var latestToken: UInt64 = 0

        mutating func makeToken() -> UInt64 {
            latestToken += 1
            return latestToken
        }

        mutating func takeWaiters() -> [CheckedContinuation<Void, Never>] {
            let due = waiters.filter { $0.value.count <= begun }
            for token in due.keys { waiters[token] = nil }
            return due.values.map(\.continuation)
        }
    }

    private let state = Locked(State())

    /// Creates a clock that stands still.
    public init() {}

    /// The moment at which the clock stands.
    public var now: Instant { state.withLock { $0.now } }
    /// A nanosecond.
    public let minimumResolution = Duration.nanoseconds(1)

    /// Advances the clock, and wakes the tasks whose sleep is over then.
    public func advance(by duration: Duration) {
        let awake = state.withLock { state in
            state.now = state.now.advanced(by: duration)
            let due = state.sleepers.filter { $0.value.deadline <= state.now }
            for token in due.keys { state.sleepers[token] = nil }
            return due.values.map(\.continuation)
        }
        for sleeper in awake { sleeper.resume() }
    }

    /// Returns when so many tasks have begun to sleep since the clock was made, or when the task is cancelled.
    public func sleepsBegun(_ count: Int) async {
        let token = state.withLock { $0.makeToken() }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDue = state.withLock { state in
                    if state.begun >= count || Task.isCancelled { return true }
                    state.waiters[token] = (count, continuation)
                    return false
                }
                if isDue { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: token) }?.continuation.resume()
        }
    }

    /// Sleeps until the clock is advanced to a moment.
    ///
    /// - Throws: `CancellationError`.
    public func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let token = state.withLock { $0.makeToken() }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let (result, waiters) = state.withLock {
                    state -> (Result<Void, any Error>?, [CheckedContinuation<Void, Never>]) in
                    state.begun += 1
                    let waiters = state.takeWaiters()
                    if Task.isCancelled { return (.failure(CancellationError()), waiters) }
                    if deadline <= state.now { return (.success(()), waiters) }
                    state.sleepers[token] = (deadline, continuation)
                    return (nil, waiters)
                }
                for waiter in waiters { waiter.resume() }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            let sleeper = state.withLock { $0.sleepers.removeValue(forKey: token) }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }
}
