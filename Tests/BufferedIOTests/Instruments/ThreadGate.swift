import Dispatch
import TestSupport

/// Blocks the threads that wait until it is opened, for 20 s, `stretched`, at most. Where a task waits, see `Gate`.
final class ThreadGate: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)

    func open() { semaphore.signal() }

    func wait() {
        let limit = Duration.seconds(20).stretched / .seconds(1)
        // Each lets the next one through.
        if semaphore.wait(timeout: .now() + limit) == .success { semaphore.signal() }
    }
}
