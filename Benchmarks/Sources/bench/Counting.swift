import Foundation

/// Counts what a client does for each message: the difference between a run with many and one with few, so that
/// connecting and leaving do not count.
struct Counting {
    let kind: Instrument.Kind
    let peer: Peer
    let version: Int
    let qos: Int

    /// A tenth of the messages is the run with few.
    func perMessage(_ messages: Int, _ count: (_ run: ([String]) throws -> Void) throws -> Int) throws -> Double {
        let few = messages / 10
        let counts = try [few, messages].map { number in
            let role: Peer.Role = kind == .sink ? .out : .in
            let command = try peer.command(role, version: version, qos: qos, messages: number)
            return try count { prefix in
                _ = try Instrument(kind: kind, version: version, qos: qos).run(prefix + command, messages: number)
            }
        }
        return Double(counts[1] - counts[0]) / Double(messages - few)
    }

    func systemCalls(_ messages: Int) throws -> Double {
        try perMessage(messages) { run in
            try withTemporaryFolder { folder in
                let summary = folder.appending(path: "calls")
                let path = summary.path(percentEncoded: false)
                try run(["/usr/bin/env", "strace", "-f", "-c", "-U", "calls,name", "-o", path])
                let lines = try String(contentsOf: summary, encoding: .utf8).split(separator: "\n")
                let total = lines.last { $0.hasSuffix("total") }?.split(separator: " ").first
                guard let calls = total.flatMap({ Int($0) }) else { throw ProgramFailure("strace says nothing") }
                return calls
            }
        }
    }

    func allocations(_ messages: Int) throws -> Double {
        try perMessage(messages) { run in
            try withTemporaryFolder { folder in
                let file = folder.appending(path: "allocations")
                try run([
                    "/usr/bin/env", "LD_PRELOAD=\(Programs.path("libCountAllocations.so"))",
                    "ALLOCATIONS_FILE=\(file.path(percentEncoded: false))",
                ])
                let text = try String(contentsOf: file, encoding: .utf8)
                guard let count = Int(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
                    throw ProgramFailure("the allocations were not counted")
                }
                return count
            }
        }
    }
}
