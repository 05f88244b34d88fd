import FoundationEssentials
import Glibc
import Synchronization

/// Points where the process can kill itself, to show that a crash there loses nothing.
///
/// The environment variable `MQTT_BRIDGE_CRASH_POINT` selects one: `after-commit`, `after-commit:17` for the 17th
/// passing, or `after-commit:17:30` to pause there for 30 ms first, while other threads continue. Without it nothing
/// happens. `mqtt-bridge torture` uses it.
enum CrashPoint: String {
    /// A batch was read from the socket.
    case afterRead = "after-read"
    /// Before a commit.
    case beforeCommit = "before-commit"
    /// After a commit.
    case afterCommit = "after-commit"
    /// A batch is complete but for its acknowledgements.
    case beforeWrite = "before-write"
    /// The acknowledgements of a batch are written.
    case afterWrite = "after-write"
    /// The broker has acknowledged a published message, which is still in the store.
    case afterPuback = "after-puback"

    private static let armed: (point: CrashPoint, passing: Int, milliseconds: UInt32)? = {
        guard let text = ProcessInfo.processInfo.environment["MQTT_BRIDGE_CRASH_POINT"] else { return nil }
        let parts = text.split(separator: ":")
        guard let point = parts.first.flatMap({ CrashPoint(rawValue: String($0)) }) else { return nil }
        return (
            point, parts.count > 1 ? Int(parts[1]) ?? 1 : 1, parts.count > 2 ? UInt32(parts[2]) ?? 0 : 0
        )
    }()
    private static let passings = Atomic<Int>(0)

    /// Kills the process if this point and this passing are selected.
    @inline(__always)
    func pass() {
        guard let armed = Self.armed else { return }
        guard armed.point == self, Self.passings.add(1, ordering: .relaxed).newValue == armed.passing else { return }
        if armed.milliseconds > 0 { usleep(armed.milliseconds * 1_000) }
        kill(getpid(), SIGKILL)
        // Until the signal arrives.
        while true { sleep(1) }
    }
}
