import Foundation

/// The other programs of this package, which lie beside this one.
enum Programs {
    static let folder = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()

    static func path(_ name: String) -> String { folder.appending(path: name).path(percentEncoded: false) }

    /// Runs a program to its end, and returns what it printed. Its standard error is ours.
    static func output(of name: String, _ arguments: [String]) throws -> Data {
        let process = Process()
        process.executableURL = folder.appending(path: name)
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw ProgramFailure(name: name, arguments: arguments, code: process.terminationStatus)
        }
        return output
    }
}

/// A program ended with an error, which it has told itself.
struct ProgramFailure: Error, CustomStringConvertible {
    let name: String
    let arguments: [String]
    let code: Int32

    var description: String { "\(name) \(arguments.joined(separator: " ")): exit code \(code)" }
}

/// A folder on the disk of the build, not in memory, for the time of `body`.
func withTemporaryFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
    let folder = Programs.folder.appending(path: "bench-\(UUID().uuidString)", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
}
