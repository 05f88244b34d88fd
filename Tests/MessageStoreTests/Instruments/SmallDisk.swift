import Foundation
import TestSupport

/// A file system in memory with little room; unmounted when the last reference goes.
final class SmallDisk: Sendable {
    private let folder: TemporaryDirectory
    var path: String { folder.file("disk") }

    /// Whether this process may mount one.
    static let isPossible = (try? SmallDisk(kilobytes: 64)) != nil

    init(kilobytes: Int) throws {
        folder = try TemporaryDirectory()
        try FileManager.default.createDirectory(atPath: folder.file("disk"), withIntermediateDirectories: false)
        let options = "size=\(kilobytes)k,mode=0700"
        try Shell.run("mount", ["-t", "tmpfs", "-o", options, "tmpfs", folder.file("disk")]).succeeded()
    }

    deinit {
        _ = try? Shell.run("umount", ["--lazy", path])
    }

    /// Allows writing, or not. Only while no file is open.
    func remount(readOnly: Bool) throws {
        try Shell.run("mount", ["-o", "remount,\(readOnly ? "ro" : "rw")", path]).succeeded()
    }
}
