import Foundation
import Glibc

/// A child process of this test run, reaped exactly once.
///
/// The process id is only used while the child is not reaped, so that a signal never reaches a stranger that got
/// the same number. The child is killed by the kernel when this process dies, however it dies.
final class SpawnedProcess: Sendable {
    let processID: pid_t
    private let ending = Locked<ProcessStatus?>(nil)

    init(processID: pid_t) {
        self.processID = processID
    }

    deinit { kill() }

    /// The exit status, or nil while the child runs. Never blocks.
    var exitStatus: ProcessStatus? {
        ending.withLock { ending in
            if ending != nil { return ending }
            var status: Int32 = 0
            let reaped = waitpid(processID, &status, WNOHANG)
            if reaped == processID {
                ending = ProcessStatus(waitStatus: status)
            } else if reaped == -1, errno == ECHILD {
                // Somebody else in this process waited for every child; what it saw is lost.
                ending = .exited(-1)
            }
            return ending
        }
    }

    /// Sends a signal; does nothing when the child has ended.
    func signal(_ number: Int32) {
        guard exitStatus == nil else { return }
        ending.withLock { ending in
            if ending == nil { _ = Glibc.kill(processID, number) }
        }
    }

    /// Whether the child has handlers for all these signals (`SigCgt` in proc(5)); true where that is unknown.
    func handles(_ signals: [Int32]) -> Bool {
        guard let text = try? String(contentsOfFile: "/proc/\(processID)/status", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("SigCgt:") }),
            let mask = UInt64(line.dropFirst(7).trimmingCharacters(in: .whitespaces), radix: 16)
        else { return true }
        return signals.allSatisfy { mask & (1 << UInt64($0 - 1)) != 0 }
    }

    /// Waits on the calling thread; for callers that are not on the concurrency pool, or for a few milliseconds.
    func waitBlocking(within limit: Duration) -> ProcessStatus? {
        let deadline = ContinuousClock.now + limit
        while true {
            if let status = exitStatus { return status }
            if ContinuousClock.now >= deadline { return nil }
            usleep(1_000)
        }
    }

    /// Ends the child with SIGTERM, and with SIGKILL when it takes longer than `limit`.
    @discardableResult
    func terminate(within limit: Duration) -> ProcessStatus {
        signal(SIGTERM)
        // A stopped process handles SIGTERM only once it continues.
        signal(SIGCONT)
        return waitBlocking(within: limit) ?? kill()
    }

    /// Ends the child with SIGKILL and reaps it.
    @discardableResult
    func kill() -> ProcessStatus {
        signal(SIGKILL)
        return waitBlocking(within: .seconds(10)) ?? .exited(-1)
    }
}
