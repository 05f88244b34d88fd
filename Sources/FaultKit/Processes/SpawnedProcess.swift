internal import Foundation
internal import Glibc
internal import Locking

/// A child process, reaped exactly once.
///
/// The process id is used only while the child is not reaped, so that a signal never reaches an unrelated process with
/// the same id. The kernel kills the child when this process dies, for whatever reason.
package final class SpawnedProcess: Sendable {
    /// The process id. After the child was reaped, another process may get the same id.
    package let processID: Int32
    private let ending = Locked<ProcessStatus?>(nil)

    init(processID: Int32) {
        self.processID = processID
    }

    deinit { kill() }

    /// The exit status, or nil while the child runs. Never blocks.
    package var exitStatus: ProcessStatus? {
        ending.withLock { ending in
            if ending != nil { return ending }
            var status: Int32 = 0
            let reaped = waitpid(processID, &status, WNOHANG)
            if reaped == processID {
                ending = ProcessStatus(waitStatus: status)
            } else if reaped == -1, errno == ECHILD {
                // Other code in this process has reaped the child; its status is lost.
                ending = .exited(-1)
            }
            return ending
        }
    }

    /// Sends a signal; returns false if the child has ended.
    @discardableResult
    package func signal(_ number: Int32) -> Bool {
        guard exitStatus == nil else { return false }
        return ending.withLock { $0 == nil && Glibc.kill(processID, number) == 0 }
    }

    /// Blocks until the child ends or the limit passes: for threads outside the concurrency pool, or for a few milliseconds.
    package func waitBlocking(within limit: Duration) -> ProcessStatus? {
        let deadline = ContinuousClock.now + limit
        while true {
            if let status = exitStatus { return status }
            if ContinuousClock.now >= deadline { return nil }
            usleep(1_000)
        }
    }

    /// Ends the child with SIGTERM, or with SIGKILL if it takes longer than `limit`.
    @discardableResult
    package func terminate(within limit: Duration) -> ProcessStatus {
        signal(SIGTERM)
        // A stopped process handles SIGTERM only once it continues.
        signal(SIGCONT)
        return waitBlocking(within: limit) ?? kill()
    }

    /// Ends the child with SIGKILL and reaps it.
    @discardableResult
    package func kill() -> ProcessStatus {
        signal(SIGKILL)
        return waitBlocking(within: .seconds(10)) ?? .exited(-1)
    }
}
