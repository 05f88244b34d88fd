import Locking

/// How one call of a listener ended.
enum CallEnding: Sendable {
    case returned
    case threw(any Error)
    case tookTooLong(TimeLimitExceeded)
}

/// The error of a call that exceeded its time limit.
struct TimeLimitExceeded: Error, CustomStringConvertible {
    let limit: Duration
    /// The end of the time limit.
    let moment = ContinuousClock.now
    var description: String { "took longer than \(limit)" }
}

/// One call of a listener, with a timer that cancels it.
struct TimedCall: Sendable {
    let body: Listener.Body
    let limit: Duration
    let clock: any Clock<Duration>

    /// Calls the listener, and returns after it has returned.
    ///
    /// `timeIsOver` runs at the end of the time limit, not when the call reacts to its cancellation, and only if the
    /// ending is ``CallEnding/tookTooLong(_:)``. Call and timer may end at the same instant; the first to write the
    /// ending decides.
    func run(_ event: Event, timeIsOver: @escaping @Sendable (TimeLimitExceeded) -> Void) async -> CallEnding {
        let ending = Locked<CallEnding?>(nil)
        @Sendable func decide(_ candidate: CallEnding) -> Bool {
            ending.withLock { ending in
                guard ending == nil else { return false }
                ending = candidate
                return true
            }
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [body] in
                do {
                    try await body(event)
                    _ = decide(.returned)
                } catch {
                    _ = decide(.threw(error))
                }
            }
            group.addTask { [limit, clock] in
                guard (try? await clock.sleep(for: limit)) != nil else { return }
                let exceeded = TimeLimitExceeded(limit: limit)
                if decide(.tookTooLong(exceeded)) { timeIsOver(exceeded) }
            }
            while await group.next() != nil {
                if ending.withLock({ $0 != nil }) { group.cancelAll() }
            }
        }
        return ending.withLock { $0 } ?? .returned
    }
}
