import Glibc

/// The process that uses a store as its owner, and holds the lock beside the file meanwhile.
enum StoreOwner: Hashable {
    /// No process.
    case nobody
    /// The process with this ID; nil if the ID is unknown.
    case process(Int32?)

    init(of path: String) {
        self = .nobody
        let descriptor = open(path + ".lock", O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return }
        defer { _ = close(descriptor) }
        // A clean shutdown removes the process ID. So the lock is tried only after a crash or during the owner's life: a
        // bridge that starts at the same moment would find it taken.
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        guard count > 0, bytes[0] != 10, flock(descriptor, LOCK_SH | LOCK_NB) != 0, errno == EWOULDBLOCK else { return }
        self = .process(Int32(String(decoding: bytes.prefix(count).prefix { $0 != 10 }, as: UTF8.self)))
    }

    /// The value of `process` in JSON.
    var json: String {
        guard case .process(let id?) = self else { return "null" }
        return String(id)
    }

    /// The process ID as text for people.
    var text: String {
        switch self {
        case .nobody: "none"
        case .process(let id): id.map(String.init) ?? "unknown"
        }
    }
}
