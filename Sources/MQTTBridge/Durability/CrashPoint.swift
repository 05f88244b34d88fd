import FoundationEssentials
import Glibc
import Synchronization

/// Places where the process can be made to kill itself, to show that nothing is lost there.
///
/// The environment variable `MQTT_BRIDGE_CRASH_POINT` names one, `after-commit` or `after-commit:17` for the 17th
/// passing; without it nothing happens. `mqtt-bridge torture` uses them.
enum CrashPoint: String {
    /// A batch was read from the socket.
    case afterRead = "after-read"
    /// Changes are about to be committed.
    case beforeCommit = "before-commit"
    /// Changes are committed.
    case afterCommit = "after-commit"
    /// Everything about a batch is done but its acknowledgement.
    case beforeWrite = "before-write"
    /// The acknowledgements of a batch are written.
    case afterWrite = "after-write"
    /// The broker has acknowledged a message of ours, which is still in the store.
    case afterPuback = "after-puback"

    private static let armed: (point: CrashPoint, passing: Int)? = {
        guard let text = ProcessInfo.processInfo.environment["MQTT_BRIDGE_CRASH_POINT"] else { return nil }
        let parts = text.split(separator: ":", maxSplits: 1)
        guard let point = parts.first.flatMap({ CrashPoint(rawValue: String($0)) }) else { return nil }
        return (point, parts.count > 1 ? Int(parts[1]) ?? 1 : 1)
    }()
    private static let passings = Atomic<Int>(0)

    /// Kills the process if this is the place and the time.
    @inline(__always)
    func pass() {
        guard let armed = Self.armed else { return }
        guard armed.point == self, Self.passings.add(1, ordering: .relaxed).newValue == armed.passing else { return }
        kill(getpid(), SIGKILL)
        // Until the signal arrives.
        while true { sleep(1) }
    }
}
