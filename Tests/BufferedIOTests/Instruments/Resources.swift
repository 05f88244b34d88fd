import Foundation
import Glibc
import TestSupport

/// What this process holds.
struct Resources: Sendable {
    let descriptors: Int
    /// What is resident, in bytes.
    let memory: Int

    static func now() -> Resources {
        let list = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        let text = String(decoding: FileManager.default.contents(atPath: "/proc/self/statm") ?? Data(), as: UTF8.self)
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return Resources(descriptors: list.count, memory: pages * Int(getpagesize()))
    }

    /// The same, once threads that are ending have closed what they held.
    static func settled() async throws -> Resources {
        var last = now()
        var quiet = 0
        _ = try await eventually {
            let now = now()
            quiet = now.descriptors == last.descriptors ? quiet + 1 : 0
            last = now
            return quiet >= 20
        }
        return last
    }
}
