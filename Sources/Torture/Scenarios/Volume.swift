internal import Foundation
internal import Glibc

/// A small file system in memory, which only the superuser may mount.
struct Volume {
    private let path: String
    private let mount: String
    private var ballast: String { "\(path)/ballast" }

    init(at path: String, megabytes: Int, _ bench: Bench) throws {
        guard geteuid() == 0 else { throw Unavailable(reason: "only root may mount a small file system") }
        (self.path, mount) = (path, try Executable.required("mount"))
        let unmount = try Executable.required("umount")
        let arguments = ["-t", "tmpfs", "-o", "size=\(megabytes)m,mode=0700", "tmpfs", path]
        let result = try Child.run(mount, arguments)
        guard result.ending == .exited(0) else {
            throw Unavailable(reason: "mount: \(result.errors.trimmingCharacters(in: .whitespacesAndNewlines))")
        }
        bench.atEnd { _ = try? Child.run(unmount, ["-l", path]) }
    }

    /// Takes all the room that is left.
    func fill() throws {
        let file = open(ballast, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Failure.system("open \(ballast)") }
        defer { close(file) }
        for size in [1 << 20, 1 << 12, 1] {
            let piece = [UInt8](repeating: 0, count: size)
            while Glibc.write(file, piece, size) == size {}
        }
    }

    /// Gives the room back.
    func empty() throws { try FileManager.default.removeItem(atPath: ballast) }

    /// Changes it to "ro" or "rw"; nobody may have a file open for writing.
    func remount(_ mode: String) throws {
        let result = try Child.run(mount, ["-o", "remount,\(mode)", path])
        guard result.ending == .exited(0) else { throw Failure("remount \(mode): \(result.errors)") }
    }
}
