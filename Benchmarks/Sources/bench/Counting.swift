import Foundation

/// Counts what a client does for each message: the difference between a run with many and one with few, so that
/// connecting and leaving do not count.
struct Counting {
    let kind: Instrument.Kind
    let peer: Peer
    let version: Int
    let qos: Int

    /// A tenth of the messages is the run with few.
    ///
    /// - Parameter binary: The program to run instead of the peer's own.
    func perMessage(
        _ messages: Int,
        binary: URL? = nil,
        _ count: (_ run: ([String]) throws -> Void) throws -> Int
    ) throws -> Double {
        let few = messages / 10
        let counts = try [few, messages].map { number in
            var command = try command(number)
            if let binary { command[0] = binary.path(percentEncoded: false) }
            return try count { prefix in
                _ = try Instrument(kind: kind, version: version, qos: qos).run(prefix + command, messages: number)
            }
        }
        return Double(counts[1] - counts[0]) / Double(messages - few)
    }

    private func command(_ messages: Int) throws -> [String] {
        try peer.command(kind == .sink ? .out : .in, version: version, qos: qos, messages: messages)
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

    /// Instructions outside of the kernel, of all threads, counted by valgrind: virtual machines seldom let the counters of
    /// a processor be read. Threads take turns there, so that the count hardly differs from one run to the next.
    func instructions(_ messages: Int) throws -> Double {
        try withTemporaryFolder { folder in
            let binary = try stripped(folder)
            let file = folder.appending(path: "instructions")
            let options = ["--tool=callgrind", "--callgrind-out-file=/dev/null"]
            return try perMessage(messages, binary: binary) { run in
                try run(Self.valgrind + options + ["--log-file=\(file.path(percentEncoded: false))"])
                let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
                let collected = lines.last { $0.contains("Collected : ") }?.split(separator: " ").last
                guard let count = collected.flatMap({ Int($0) }) else { throw ProgramFailure("valgrind says nothing") }
                return count
            }
        }
    }

    /// Why instructions cannot be counted on this machine; nil where they can be.
    func obstacleToInstructions() -> String? {
        do {
            try withTemporaryFolder { folder in
                let binary = try stripped(folder).path(percentEncoded: false)
                let command = Self.valgrind.dropFirst() + ["--tool=none", binary, "--help"]
                _ = try Programs.output(of: Self.valgrind[0], Array(command))
            }
            return nil
        } catch {
            return "valgrind does not run it: \(error)"
        }
    }

    private static var valgrind: [String] {
        ["/usr/bin/env", "LD_PRELOAD=\(Programs.path("libWritableMask.so"))", "valgrind"]
    }

    /// A copy of the program without what the compiler tells debuggers: that is newer than what valgrind 3.19 reads, and it gives up.
    private func stripped(_ folder: URL) throws -> URL {
        let copy = folder.appending(path: "program")
        let arguments = ["strip", "--strip-debug", "-o", copy.path(percentEncoded: false), try command(1)[0]]
        _ = try Programs.output(of: "/usr/bin/env", arguments)
        return copy
    }
}
