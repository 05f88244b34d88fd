import Glibc
import Mosquitto

/// Reads the configuration file, and checks the files that it names.
enum ConfigurationFile {
    /// The largest file, in bytes: far more than 10,000 routes need.
    static let limit = 1024 * 1024

    /// The kind of file that a path must name.
    enum Kind {
        case file
        case folder
    }

    /// Returns the text of a configuration file.
    static func read(_ path: String) throws(ConfigurationProblems) -> String {
        let stream = path.utf8.contains(0) ? nil : fopen(path, "re")
        guard let stream else {
            throw failure(path, "cannot read the file: \(systemError(errno))", "Check the path and its permissions")
        }
        defer { fclose(stream) }
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        let count = fread(&bytes, 1, bytes.count, stream)
        guard ferror(stream) == 0 else {
            throw failure(path, "cannot read the file: \(systemError(errno))", "Check that it is a file")
        }
        guard count <= limit else {
            throw failure(path, "the file is larger than 1 MiB", "Check that the path names a configuration")
        }
        guard let text = String(validating: bytes.prefix(count), as: UTF8.self) else {
            throw notUTF8(path, bytes.prefix(count))
        }
        return text
    }

    /// Returns the reason why a file or folder cannot be read; nil if it can.
    static func problem(with path: String, _ kind: Kind) -> String? {
        var status = stat()
        guard stat(path, &status) == 0 else { return systemError(errno) }
        let isFolder = status.st_mode & S_IFMT == S_IFDIR
        guard isFolder == (kind == .folder) else { return isFolder ? "it is a folder" : "it is not a folder" }
        return access(path, isFolder ? R_OK | X_OK : R_OK) == 0 ? nil : systemError(errno)
    }

    private static func systemError(_ code: Int32) -> String {
        strerror(code).map { String(cString: $0) } ?? "error \(code)"
    }

    private static func failure(
        _ path: String,
        _ message: String,
        _ advice: String,
        at position: Position = .file
    ) -> ConfigurationProblems {
        let collector = ProblemCollector(file: path, source: SourceText(""), environment: [:])
        collector.add(position, message, advice)
        return collector.problems
    }

    /// Returns a problem at the first byte that is not UTF-8.
    private static func notUTF8(_ path: String, _ bytes: ArraySlice<UInt8>) -> ConfigurationProblems {
        var good = ""
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        while case .scalarValue(let scalar) = decoder.decode(&iterator) { good.unicodeScalars.append(scalar) }
        return failure(path, "the file is not UTF-8", "Save it as UTF-8", at: SourceText(good).end)
    }
}
