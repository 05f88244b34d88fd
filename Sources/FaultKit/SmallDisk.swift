internal import Foundation
internal import Glibc

/// A file system in memory with little room; unmounted when the last reference goes.
package final class SmallDisk: Sendable {
    /// The folder where it is mounted.
    package let path: String
    private let folder: TemporaryDirectory?
    private var ballast: String { "\(path)/ballast" }

    /// Whether this process may mount one.
    package static let isPossible = (try? SmallDisk(kilobytes: 64)) != nil

    /// Mounts one.
    ///
    /// - Parameter path: An empty folder; nil for a temporary one.
    /// - Throws: ``Unavailable`` if this process may not.
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

    /// Unmounts it, also while files on it are open. Again, it does nothing.
    package func unmount() { _ = try? Shell.run("umount", ["--lazy", path]) }

    /// Allows writing, or not. Only while no file is open for writing.
    package func remount(readOnly: Bool) throws {
        try Shell.run("mount", ["-o", "remount,\(readOnly ? "ro" : "rw")", path]).succeeded()
    }

    /// How many bytes of room are left.
    package var free: Int {
        var status = statvfs()
        return statvfs(path, &status) == 0 ? Int(status.f_bavail) * Int(status.f_frsize) : 0
    }

    /// Takes all the room that is left.
    package func fill() throws {
        let file = open(ballast, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw FaultKitError.system("open \(ballast)") }
        defer { close(file) }
        for size in [1 << 20, 1 << 12, 1] {
            let piece = [UInt8](repeating: 0, count: size)
            while Glibc.write(file, piece, size) == size {}
        }
    }

    /// Gives the room that ``fill()`` took back.
    package func empty() throws { try FileManager.default.removeItem(atPath: ballast) }
}
