import Foundation
import TestSupport

/// How many `read` and `write` calls a thread has made, those that failed among them. What goes through `send` and
/// `recv` is not counted by the system (proc(5), `/proc/pid/io`).
struct SystemCalls: Sendable {
    var reads: Int
    var writes: Int

    /// - Throws: `FaultKitError` when there is no such thread, or the system does not count.
    init(ofThread thread: String) throws {
        let path = "/proc/\(thread)/io"
        let text = String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
        func value(_ name: String) throws -> Int {
            let line = text.split(separator: "\n").first { $0.hasPrefix("\(name): ") }
            guard let number = line.flatMap({ Int($0.dropFirst(name.count + 2)) }) else {
                throw FaultKitError("read \(path): no \(name)")
            }
            return number
        }
        reads = try value("syscr")
        writes = try value("syscw")
    }

    static func - (later: Self, earlier: Self) -> Self {
        var difference = later
        difference.reads -= earlier.reads
        difference.writes -= earlier.writes
        return difference
    }
}
