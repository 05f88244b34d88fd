import Glibc

/// The system calls with which ``StoreFiles`` changes the medium. SQLite makes calls of its own.
///
/// Tests replace them to record the changes that a power cut could undo. Results and `errno` are as for the system
/// calls.
package protocol FileCalls: Sendable {
    /// Creates a folder with mode 0700.
    func makeFolder(_ path: String) -> Int32
    /// Creates and opens a file with mode 0600. Fails if it exists.
    func create(_ path: String) -> Int32
    func write(_ bytes: [UInt8], count: Int, to descriptor: Int32) -> Int
    func synchronize(_ descriptor: Int32) -> Int32
    /// Syncs a folder, so that its directory entries survive a power cut.
    func synchronizeFolder(_ path: String) -> Int32
    func link(_ path: String, to newPath: String) -> Int32
    func rename(_ path: String, to newPath: String) -> Int32
    func remove(_ path: String) -> Int32
    func close(_ descriptor: Int32)
}

/// The calls of the operating system.
package struct SystemFileCalls: FileCalls {
    package init() {}

    package func makeFolder(_ path: String) -> Int32 { mkdir(path, 0o700) }

    package func create(_ path: String) -> Int32 {
        open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    }

    package func write(_ bytes: [UInt8], count: Int, to descriptor: Int32) -> Int {
        bytes.withUnsafeBytes { systemWrite(descriptor, $0.baseAddress, min(count, $0.count)) }
    }

    package func synchronize(_ descriptor: Int32) -> Int32 { fsync(descriptor) }

    package func synchronizeFolder(_ path: String) -> Int32 {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return -1 }
        defer { close(descriptor) }
        return fsync(descriptor)
    }

    package func link(_ path: String, to newPath: String) -> Int32 { systemLink(path, newPath) }

    package func rename(_ path: String, to newPath: String) -> Int32 { systemRename(path, newPath) }

    package func remove(_ path: String) -> Int32 { unlink(path) }

    /// Preserves `errno`.
    package func close(_ descriptor: Int32) {
        let code = errno
        _ = systemClose(descriptor)
        errno = code
    }
}

// Aliases: inside `SystemFileCalls` the plain names resolve to its methods.
private let systemWrite = write(_:_:_:)
private let systemLink = link(_:_:)
private let systemRename = rename(_:_:)
private let systemClose = close(_:)
