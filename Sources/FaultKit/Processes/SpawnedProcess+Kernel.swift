internal import Foundation
internal import Glibc

// The kernel's view of a process: proc(5).
extension SpawnedProcess {
    /// Resident memory in bytes.
    package var residentMemory: Int { number("VmRSS:") * 1024 }
    /// Peak resident memory in bytes.
    package var peakMemory: Int { number("VmHWM:") * 1024 }
    /// The number of threads.
    package var threads: Int { number("Threads:") }
    /// The number of open descriptors.
    package var descriptors: Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(processID)/fd").count) ?? 0
    }

    /// Whether a file whose path contains `name` is mapped into its memory.
    package func maps(_ name: String) -> Bool { text(of: "maps").contains(name) }

    /// Whether it has handlers for all these signals.
    func handles(_ signals: [Int32]) -> Bool {
        let caught = field("SigCgt:").flatMap { UInt64($0, radix: 16) } ?? 0
        return signals.allSatisfy { caught & (1 << UInt64($0 - 1)) != 0 }
    }

    private func number(_ name: String) -> Int { field(name).flatMap { Int($0) } ?? 0 }

    private func field(_ name: String) -> Substring? {
        let line = text(of: "status").split(separator: "\n").first { $0.hasPrefix(name) }
        return line?.split(whereSeparator: \.isWhitespace).dropFirst().first
    }

    /// Reads a file of proc(5) to its end: it has no size, and one read returns at most a page.
    private func text(of name: String) -> String {
        let file = open("/proc/\(processID)/\(name)", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while bytes.count < 16 << 20 {
            let count = read(file, &buffer, buffer.count)
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
