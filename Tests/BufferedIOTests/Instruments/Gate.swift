import Dispatch

/// Blocks the threads that wait until it is opened, for 20 s at most.
final class Gate: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)

    func open() { semaphore.signal() }

    func wait() {
        // Each lets the next one through.
        if semaphore.wait(timeout: .now() + 20) == .success { semaphore.signal() }
    }
}
