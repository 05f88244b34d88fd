/// An image that breaks the promise.
package struct PowerCutViolation: Sendable, CustomStringConvertible {
    /// The seed of the round.
    package var seed: UInt64
    /// The number of the image in its round, from 1.
    package var image: Int
    /// A description of the violation.
    package var text: String
    /// The events before the power cut, then the parts of the image, one line each.
    package var steps: [String]

    package var description: String {
        """
        \(text)
        \(steps.map { "  \($0)" }.joined(separator: "\n"))
        repeat it: mqtt-bridge-torture --power-cut --seed \(seed) --images \(image)
        """
    }
}

extension PowerCutViolation {
    /// Returns the last events as at most 40 lines, after the number of earlier ones.
    static func steps(_ events: ArraySlice<MediumEvent>) -> [String] {
        var steps = Steps()
        for event in events { steps.add(event) }
        let rest = steps.lines.count - 40
        return rest > 0 ? ["(\(rest) earlier ones)"] + steps.lines.suffix(40) : steps.lines
    }

    /// Describes events; merges consecutive writes of one file into one line.
    private struct Steps {
        var lines: [String] = []
        private var paths: [Int: String] = [:]
        private var written: (file: Int, writes: Int, bytes: Int)?

        mutating func add(_ event: MediumEvent) {
            if case .written(let file, _, let bytes) = event {
                let goesOn = written?.file == file
                if goesOn { lines.removeLast() }
                let writes = 1 + (goesOn ? written!.writes : 0)
                let sum = bytes.count + (goesOn ? written!.bytes : 0)
                written = (file, writes, sum)
                lines.append("write \(sum) bytes of \(path(file)) in \(writes) writes")
                return
            }
            written = nil
            lines.append(line(event))
        }

        private mutating func line(_ event: MediumEvent) -> String {
            switch event {
            case .written: return ""
            case .folderMade(let path): return "make the folder \(path)"
            case .created(let file, let path):
                paths[file] = path
                return "make \(path)"
            case .truncated(let file, let length): return "cut \(path(file)) to \(length) bytes"
            case .synchronized(let file): return "sync \(path(file))"
            case .linked(let path, let newPath):
                rename(path, newPath)
                return "link \(path) to \(newPath)"
            case .renamed(let path, let newPath):
                rename(path, newPath)
                return "rename \(path) to \(newPath)"
            case .removed(let path): return "remove \(path)"
            case .folderSynchronized(let path): return "sync the folder \(path.isEmpty ? "." : path)"
            case .began(let step): return "step \(step) begins"
            case .returned(let step, let maySlip): return "step \(step) has returned\(maySlip ? ", and may slip" : "")"
            }
        }

        private func path(_ file: Int) -> String { paths[file] ?? "a file" }

        private mutating func rename(_ path: String, _ newPath: String) {
            for (file, known) in paths where known == path { paths[file] = newPath }
        }
    }
}
