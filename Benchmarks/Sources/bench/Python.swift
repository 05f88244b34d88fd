import Foundation

/// The programs in Python, and the interpreter that has their packages.
enum Python {
    private static let folder = "Benchmarks/Python"
    private static let interpreter = "Benchmarks/.venv/bin/python"

    /// - Throws: ``ProgramFailure`` where Scripts/bench could not install the packages.
    static func command(_ program: String) throws -> [String] {
        guard FileManager.default.isExecutableFile(atPath: interpreter) else {
            throw ProgramFailure("not installed: Scripts/bench could not reach PyPI")
        }
        return [interpreter, "\(folder)/\(program)"]
    }
}
