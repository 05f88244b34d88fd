import Foundation

/// Finds programs the way a shell of the super user would: `PATH`, then the two folders for daemons.
public enum Executable {
    /// Returns the path of the program, or nil when there is none. A name with a slash is taken as a path.
    public static func path(of name: String) -> String? {
        if name.contains("/") {
            return FileManager.default.isExecutableFile(atPath: name) ? name : nil
        }
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        let folders = path.split(separator: ":").map(String.init) + ["/usr/sbin", "/usr/local/sbin", "/sbin"]
        return folders.map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// Returns the path of the program.
    ///
    /// - Throws: `TestSupportError` that names the program and where it was looked for.
    public static func required(_ name: String) throws -> String {
        guard let path = path(of: name) else {
            throw TestSupportError("\(name) is not installed: not in PATH, /usr/sbin, /usr/local/sbin or /sbin")
        }
        return path
    }
}
