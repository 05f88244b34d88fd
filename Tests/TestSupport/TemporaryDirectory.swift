import Foundation
import Glibc

/// A folder that only this user can read (mode 0700), removed with its content when the last reference goes.
///
/// After a crash the folder stays: its name begins with `mqtt-test.` and the process id.
public final class TemporaryDirectory: Sendable {
    /// The absolute path, without a slash at its end. Short enough for a unix socket in it.
    public let path: String

    /// - Throws: `TestSupportError` when the folder cannot be made.
    public init() throws {
        let base = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        var template = Array("\(base)/mqtt-test.\(getpid()).XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw TestSupportError.system("make a folder in \(base)", errno)
        }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit { remove() }

    /// Returns the path of `name` in this folder; nothing is created.
    public func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Writes a file that only this user can read and returns its path.
    ///
    /// - Throws: `TestSupportError` when the file cannot be written.
    @discardableResult
    public func write(_ text: String, to name: String, permissions: Int = 0o600) throws -> String {
        let path = file(name)
        let attributes: [FileAttributeKey: Any] = [.posixPermissions: permissions]
        guard FileManager.default.createFile(atPath: path, contents: Data(text.utf8), attributes: attributes) else {
            throw TestSupportError("write \(path): failed")
        }
        return path
    }

    /// Removes the folder and its content now. Called again, it does nothing.
    public func remove() {
        try? FileManager.default.removeItem(atPath: path)
    }
}
