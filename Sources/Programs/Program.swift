internal import Foundation
internal import Glibc

/// A program that is installed on this machine.
package enum Program {
    /// Finds a program as a root shell would: in `PATH`, then in the folders for daemons.
    ///
    /// Debian installs mosquitto outside the `PATH` of ordinary users. A name with a slash is a path.
    ///
    /// - Returns: Its path, or nil if there is none.
    package static func path(of name: String) -> String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        let folders = path.split(separator: ":").map(String.init) + ["/usr/sbin", "/usr/local/sbin", "/sbin"]
        let candidates = name.contains("/") ? [name] : folders.map { "\($0)/\(name)" }
        return candidates.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// Replaces this process by a program with these arguments.
    ///
    /// - Returns: Only on failure: the error message.
    package static func become(_ path: String, arguments: [String]) -> String {
        // Freed when the process is replaced or ends.
        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        execv(path, &words)
        return "run \(path): \(String(cString: strerror(errno)))"
    }

    /// The path of the running program.
    package static var own: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    }

    /// Finds a program in the folder of the running one.
    ///
    /// - Returns: Its path, or nil if there is none.
    package static func path(beside name: String) -> String? {
        path(of: URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent(name).path)
    }
}
