import Foundation

/// The other programs of this package, which lie beside this one.
enum Programs {
    static let folder = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()

    static func path(_ name: String) -> String { folder.appending(path: name).path(percentEncoded: false) }

    /// Runs a program to its end, and returns what it printed.
    static func output(of path: String, _ arguments: [String]) throws -> Data {
        guard FileManager.default.isExecutableFile(atPath: path) else { throw ProgramFailure("\(path) is not there") }
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let printed = try output.fileHandleForReading.readToEnd() ?? Data()
        let told = try errors.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            let lines = String(decoding: told, as: UTF8.self).split(separator: "\n")
            throw ProgramFailure(lines.last.map(String.init) ?? "exit code \(process.terminationStatus)")
        }
        return printed
    }
}

/// A program that could not be run, or ended with an error.
struct ProgramFailure: Error, CustomStringConvertible {
    /// In one line.
    let description: String

    init(_ description: String) { self.description = description }
}

/// A folder on the disk of the build, not in memory, for the time of `body`.
func withTemporaryFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
    let folder = Programs.folder.appending(path: "bench-\(UUID().uuidString)", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
}
