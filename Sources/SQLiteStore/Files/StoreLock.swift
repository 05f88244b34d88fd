import Locking
import MessageStore

import Glibc

/// The exclusive lock (flock(2)) of the owner of a store. It ends with this object or the process.
///
/// The lock file is never removed: two processes could then lock two files of one name. Its first line is the process
/// ID of the owner, empty after a clean shutdown. Its second line marks it as the lock of a store and records whether
/// damage was detected.
final class StoreLock: Sendable {
    private struct State {
        var descriptor: Int32?
        var isSuspect: Bool
    }

    private let state: Locked<State>

    /// - Throws: `.inUse` with the process ID of the owner; other codes if the file cannot be created.
    init(for path: String) throws(StoreError) {
        let lockPath = path + ".lock"
        let operation = "lock the store \(path)"
        let descriptor = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw StoreError(system: errno, operation: "open \(lockPath)") }
        guard Self.takes(descriptor) else {
            let code = errno
            defer { _ = close(descriptor) }
            guard code == EWOULDBLOCK else { throw StoreError(system: code, operation: operation) }
            let owner = Self.owner(descriptor).map { "process \($0) uses it" } ?? "another process uses it"
            let advice = "End that process, or name another path."
            throw StoreError(.inUse, operation: operation, detail: owner, advice: advice)
        }
        fchmod(descriptor, 0o600)
        let isSuspect = Self.secondLine(Self.bytes(descriptor)).elementsEqual("\(Self.suspectMark)\n".utf8)
        state = Locked(State(descriptor: descriptor, isSuspect: isSuspect))
        write("\(getpid())", isSuspect: isSuspect, to: descriptor)
    }

    /// The second line.
    private static let mark = "lock of a message store"
    /// The second line after damage was detected.
    private static let suspectMark = "lock of a message store, damaged"

    /// The content is only informative. If it cannot be written, the lock still holds.
    private func write(_ owner: String, isSuspect: Bool, to descriptor: Int32) {
        ftruncate(descriptor, 0)
        let text = Array("\(owner)\n\(isSuspect ? Self.suspectMark : Self.mark)\n".utf8)
        _ = pwrite(descriptor, text, text.count, 0)
    }

    /// Whether damage was detected since the store was last found sound.
    var isSuspect: Bool {
        get { state.withLock { $0.isSuspect } }
        set {
            state.withLock { state in
                guard let descriptor = state.descriptor, state.isSuspect != newValue else { return }
                state.isSuspect = newValue
                write("\(getpid())", isSuspect: newValue, to: descriptor)
            }
        }
    }

    /// Whether this content of a lock file proves that there was a store.
    static func isMark(_ content: [UInt8]) -> Bool {
        [mark, suspectMark].contains { secondLine(content).elementsEqual("\($0)\n".utf8) }
    }

    private static func secondLine(_ content: [UInt8]) -> ArraySlice<UInt8> {
        content.drop { $0 != 10 }.dropFirst()
    }

    /// Whether this is the content of a lock file: of this form, with only a process ID, or zeros.
    ///
    /// The file is not synced: after a power cut it may have its length but none of its bytes.
    static func isOwn(_ content: [UInt8]) -> Bool {
        if content.allSatisfy({ $0 == 0 }) { return true }
        let number = content.prefix { $0 != 10 }
        guard number.count <= 10, number.allSatisfy({ (48...57).contains($0) }) else { return false }
        return isMark(content) || content.count - number.count <= 1
    }

    /// Tries twice: ``isHeld(beside:)`` in another process holds the lock for some microseconds.
    private static func takes(_ descriptor: Int32) -> Bool {
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
        usleep(20_000)
        return flock(descriptor, LOCK_EX | LOCK_NB) == 0
    }

    /// Whether any process, this one included, holds the lock of a store.
    static func isHeld(beside path: String) -> Bool {
        let descriptor = open(path + ".lock", O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return false }
        defer { _ = close(descriptor) }
        // A clean shutdown removes the process ID. So the lock is tried only after a crash or during the owner's life:
        // a bridge that starts at the same moment would find it taken.
        guard owner(descriptor) != nil else { return false }
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }

    deinit { release() }

    /// Whether this object holds the lock.
    var isHeld: Bool { state.withLock { $0.descriptor != nil } }

    /// Releases the lock. A second call does nothing.
    func release() {
        state.withLock { state in
            guard let descriptor = state.descriptor else { return }
            write("", isSuspect: state.isSuspect, to: descriptor)
            _ = close(descriptor)
            state.descriptor = nil
        }
    }

    /// The process ID in the file; nil before the owner writes it and after a clean shutdown.
    private static func owner(_ descriptor: Int32) -> Int32? {
        Int32(String(decoding: bytes(descriptor).prefix { $0 != 10 }, as: UTF8.self))
    }

    private static func bytes(_ descriptor: Int32) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        return Array(bytes.prefix(max(0, count)))
    }
}
