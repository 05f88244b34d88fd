import Glibc

/// Whether a bridge uses a store at the moment: it holds the lock beside the file for as long as it does.
enum StoreOwner: Hashable {
    /// No process does.
    case nobody
    /// The one with this id, where it is known.
    case process(Int32?)

    init(of path: String) {
        self = .nobody
        let descriptor = open(path + ".lock", O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return }
        defer { _ = close(descriptor) }
        // The owner takes its number away when it ends in good order; only after a crash, or while it lives, is it asked
        // for the lock, which a bridge that starts in the same microsecond would find taken.
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        guard count > 0, bytes[0] != 10, flock(descriptor, LOCK_SH | LOCK_NB) != 0, errno == EWOULDBLOCK else { return }
        self = .process(Int32(String(decoding: bytes.prefix(count).prefix { $0 != 10 }, as: UTF8.self)))
    }

    /// For `process` in JSON.
    var json: String {
        guard case .process(let id?) = self else { return "null" }
        return String(id)
    }

    /// For people.
    var text: String {
        switch self {
        case .nobody: "none"
        case .process(let id): id.map(String.init) ?? "unknown"
        }
    }
}
