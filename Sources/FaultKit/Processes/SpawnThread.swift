internal import Dispatch
internal import Foundation
internal import Locking

/// The thread that starts all child processes and never ends.
///
/// Linux sends a child its parent-death signal when the *thread* that started it ends (prctl(2), PR_SET_PDEATHSIG). Threads
/// of Dispatch and of the Swift concurrency pool come and go: a broker started there could be killed while in use.
final class SpawnThread: Sendable {
    static let shared = SpawnThread()

    private let requests = Locked<[@Sendable () -> Void]>([])
    private let available = DispatchSemaphore(value: 0)

    private init() {
        let thread = Thread { [self] in
            while true {
                available.wait()
                let next = requests.withLock { $0.isEmpty ? nil : $0.removeFirst() }
                next?()
            }
        }
        thread.name = "spawn"
        thread.start()
    }

    /// Runs `body` on the thread and returns its result. Blocks the caller for about a millisecond.
    func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T) throws -> T {
        let result = SpawnResult<T>()
        requests.withLock { $0.append { result.set(Result { try body() }) } }
        available.signal()
        return try result.get()
    }
}

/// Passes one result from the spawning thread to the waiting thread.
private final class SpawnResult<T: Sendable>: Sendable {
    private let value = Locked<Result<T, any Error>?>(nil)
    private let done = DispatchSemaphore(value: 0)

    func set(_ result: Result<T, any Error>) {
        value.withLock { $0 = result }
        done.signal()
    }

    func get() throws -> T {
        done.wait()
        guard let result = value.withLock({ $0 }) else { throw FaultKitError("spawn: no result") }
        return try result.get()
    }
}
