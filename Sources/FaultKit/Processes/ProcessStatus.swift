/// The exit status of a child process. Not named `ExitStatus`, which Swift Testing declares.
package enum ProcessStatus: Sendable, Hashable, CustomStringConvertible {
    /// The process exited with this code.
    case exited(Int32)
    /// This signal ended the process.
    case signalled(Int32)

    /// Decodes the status word of `waitpid` (wait(2)), whose macros are not visible in Swift.
    init(waitStatus: Int32) {
        let signal = waitStatus & 0x7f
        self = signal == 0 ? .exited((waitStatus >> 8) & 0xff) : .signalled(signal)
    }

    /// Whether the process exited with code 0.
    package var isSuccess: Bool { self == .exited(0) }

    /// `exit code 1` or `signal 9`.
    package var description: String {
        switch self {
        case .exited(let code): "exit code \(code)"
        case .signalled(let signal): "signal \(signal)"
        }
    }
}
