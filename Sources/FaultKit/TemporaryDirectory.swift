internal import Foundation
internal import Glibc

/// A folder that only this user can read (mode 0700), removed with its contents when the last reference goes.
///
/// After a crash the folder stays; its name begins with `fault-kit.` and the process id.
package final class TemporaryDirectory: Sendable {
    /// The absolute path, without a trailing slash; short enough for a Unix domain socket in the folder.
    package let path: String

    /// - Throws: `FaultKitError` if the folder cannot be made.
    package init() throws {
        let base = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        var template = Array("\(base)/fault-kit.\(getpid()).XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw FaultKitError.system("make a folder in \(base)")
        }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit { remove() }

    /// Returns the path of `name` in this folder; creates nothing.
    package func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Writes a file that only this user can read and returns its path.
    ///
    /// - Throws: `FaultKitError` if the file cannot be written.
    @discardableResult
    package func write(_ text: String, to name: String, permissions: Int = 0o600) throws -> String {
        let path = file(name)
        let attributes: [FileAttributeKey: Any] = [.posixPermissions: permissions]
        guard FileManager.default.createFile(atPath: path, contents: Data(text.utf8), attributes: attributes) else {
            throw FaultKitError("write \(path): failed")
        }
        return path
    }

    /// Removes the folder and its contents now. A second call does nothing.
    package func remove() {
        try? FileManager.default.removeItem(atPath: path)
    }
}
