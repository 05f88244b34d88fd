import Locking
import MessageStore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Keeps a second process away from a store for as long as this object lives. The end of the process releases it too.
///
/// The file stays: removing it would let two processes lock two files of one name.
final class StoreLock: Sendable {
    private let descriptor: Locked<Int32?>

    /// - Throws: `.inUse` with the process id of the owner; other codes when the file cannot be made.
    init(for path: String) throws(StoreError) {
        let lockPath = path + ".lock"
        let operation = "lock the store \(path)"
        let descriptor = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw StoreError(system: errno, operation: "open \(lockPath)") }
        guard Self.takes(descriptor) else {
            let code = errno
            defer { _ = close(descriptor) }
            guard code == EWOULDBLOCK else { throw StoreError(system: code, operation: operation) }
            let owner = Self.content(descriptor).map { "process \($0) uses it" } ?? "another process uses it"
            let advice = "End that process, or name another path."
            throw StoreError(.inUse, operation: operation, detail: owner, advice: advice)
        }
        fchmod(descriptor, 0o600)
        self.descriptor = Locked(descriptor)
        ftruncate(descriptor, 0)
        let text = Array("\(getpid())\n".utf8)
        // Only a text for people: without room for it the lock holds all the same.
        _ = pwrite(descriptor, text, text.count, 0)
    }

    /// A command that looks whether the store is in use has the lock for some microseconds: tries twice.
    private static func takes(_ descriptor: Int32) -> Bool {
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
        usleep(20_000)
        return flock(descriptor, LOCK_EX | LOCK_NB) == 0
    }

    deinit { release() }

    /// Lets another process in. A second time it does nothing.
    func release() {
        let descriptor = descriptor.withLock { held in
            defer { held = nil }
            return held
        }
        guard let descriptor else { return }
        ftruncate(descriptor, 0)
        _ = close(descriptor)
    }

    /// The process id in the file; nil before the owner has written it.
    private static func content(_ descriptor: Int32) -> Int32? {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        guard count > 0 else { return nil }
        return Int32(String(decoding: bytes.prefix(count).prefix { $0 != 10 }, as: UTF8.self))
    }
}
