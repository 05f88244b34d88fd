internal import Foundation
internal import Glibc

/// A small file system in memory, unmounted when the last reference goes.
package final class SmallDisk: Sendable {
    /// The mount point.
    package let path: String
    private let folder: TemporaryDirectory?
    private var ballast: String { "\(path)/ballast" }

    /// Whether this process may mount a file system.
    package static let isPossible = (try? SmallDisk(kilobytes: 64)) != nil

    /// Mounts a file system.
    ///
    /// - Parameter path: An empty folder; nil for a temporary one.
    /// - Throws: ``Unavailable`` if this process may not mount it.
    package init(kilobytes: Int, at path: String? = nil) throws {
        guard geteuid() == 0 else { throw Unavailable(reason: "only root may mount a small file system") }
        folder = try path == nil ? TemporaryDirectory() : nil
        self.path = path ?? folder?.path ?? ""
        let options = "size=\(kilobytes)k,mode=0700"
        let mount = try Shell.run("mount", ["-t", "tmpfs", "-o", options, "tmpfs", self.path])
        guard mount.status.isSuccess else {
            throw Unavailable(reason: "mount: \(mount.stderr.trimmingCharacters(in: .whitespacesAndNewlines))")
        }
    }

    deinit { unmount() }

    /// Unmounts the file system, even if files on it are open. A second call does nothing.
    package func unmount() { _ = try? Shell.run("umount", ["--lazy", path]) }

    /// Makes the file system writable, or read-only, which fails while a file is open for writing.
    package func remount(readOnly: Bool) throws {
        try Shell.run("mount", ["-o", "remount,\(readOnly ? "ro" : "rw")", path]).succeeded()
    }

    /// The free space in bytes.
    package var free: Int {
        var status = statvfs()
        return statvfs(path, &status) == 0 ? Int(status.f_bavail) * Int(status.f_frsize) : 0
    }

    /// Takes all free space.
    package func fill() throws {
        let file = open(ballast, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw FaultKitError.system("open \(ballast)") }
        defer { close(file) }
        for size in [1 << 20, 1 << 12, 1] {
            let piece = [UInt8](repeating: 0, count: size)
            while Glibc.write(file, piece, size) == size {}
        }
    }

    /// Frees the space that ``fill()`` took.
    package func empty() throws { try FileManager.default.removeItem(atPath: ballast) }
}
