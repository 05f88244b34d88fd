internal import Foundation
internal import Glibc
internal import Locking

/// A child process, reaped once.
///
/// Its id is used only while it is not reaped, so that no signal reaches a stranger that got the same number. The kernel
/// kills it when the thread that started it ends, where `setpriv` is installed.
final class Child: Sendable {
    /// How it ended.
    enum Ending: Hashable, CustomStringConvertible {
        case exited(Int32)
        case signalled(Int32)

        var description: String {
            switch self {
            case .exited(let code): "exit code \(code)"
            case .signalled(let signal): "signal \(signal)"
            }
        }
    }

    let processID: pid_t
    private let state = Locked<Ending?>(nil)

    init(processID: pid_t) {
        self.processID = processID
    }

    deinit { kill() }

    /// How it ended, or nil while it runs. Never blocks.
    var ending: Ending? {
        state.withLock { ending in
            if ending == nil {
                var status: Int32 = 0
                // The macros of wait(2) are not visible in Swift.
                if waitpid(processID, &status, WNOHANG) == processID {
                    let signal = status & 0x7F
                    ending = signal == 0 ? .exited((status >> 8) & 0xFF) : .signalled(signal)
                }
            }
            return ending
        }
    }

    /// Sends a signal; false when the child has ended.
    @discardableResult
    func signal(_ number: Int32) -> Bool {
        guard ending == nil else { return false }
        return state.withLock { $0 == nil && Glibc.kill(processID, number) == 0 }
    }

    /// Waits on the calling thread.
    func wait(within limit: Duration) -> Ending? {
        let deadline = ContinuousClock.now + limit
        while true {
            if let ending { return ending }
            if ContinuousClock.now >= deadline { return nil }
            usleep(500)
        }
    }

    /// Ends it with SIGKILL and reaps it.
    @discardableResult
    func kill() -> Ending? {
        signal(SIGKILL)
        return wait(within: .seconds(10))
    }

    /// Ends it with SIGTERM, and with SIGKILL after `limit`.
    @discardableResult
    func terminate(within limit: Duration) -> Ending? {
        signal(SIGTERM)
        return wait(within: limit) ?? kill()
    }

    // MARK: What the kernel says about it (proc(5))

    /// Resident memory in bytes.
    var residentMemory: Int { number("VmRSS:") * 1024 }
    /// The most resident memory so far, in bytes.
    var peakMemory: Int { number("VmHWM:") * 1024 }
    var threads: Int { number("Threads:") }
    var descriptors: Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(processID)/fd").count) ?? 0
    }

    /// Whether a file whose path contains `name` is mapped into its memory.
    func maps(_ name: String) -> Bool { text(of: "maps").contains(name) }

    /// Whether it has a handler for a signal.
    func handles(_ signal: Int32) -> Bool {
        let caught = field("SigCgt:").flatMap { UInt64($0, radix: 16) } ?? 0
        return caught & (1 << UInt64(signal - 1)) != 0
    }

    private func number(_ name: String) -> Int { field(name).flatMap { Int($0) } ?? 0 }

    private func field(_ name: String) -> Substring? {
        let line = text(of: "status").split(separator: "\n").first { $0.hasPrefix(name) }
        return line?.split(whereSeparator: \.isWhitespace).dropFirst().first
    }

    /// Such files have no size: they are read until they end.
    private func text(of name: String) -> String {
        let file = open("/proc/\(processID)/\(name)", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while bytes.count < 16 << 20 {
            let count = read(file, &buffer, buffer.count)
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
