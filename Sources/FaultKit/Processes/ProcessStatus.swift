/// How a child process ended. Not `ExitStatus`: Swift Testing has one.
package enum ProcessStatus: Sendable, Hashable, CustomStringConvertible {
    /// It ended by itself with this code.
    case exited(Int32)
    /// This signal ended it.
    case signalled(Int32)

    /// The status word of `waitpid`; its macros are not visible in Swift. See wait(2).
    init(waitStatus: Int32) {
        let signal = waitStatus & 0x7f
        self = signal == 0 ? .exited((waitStatus >> 8) & 0xff) : .signalled(signal)
    }

    /// Whether the process returned 0.
    package var isSuccess: Bool { self == .exited(0) }

    /// `exit code 1` or `signal 9`.
    package var description: String {
        switch self {
        case .exited(let code): "exit code \(code)"
        case .signalled(let signal): "signal \(signal)"
        }
    }
}
