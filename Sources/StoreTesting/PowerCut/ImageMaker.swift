internal import FaultKit
internal import Foundation
internal import Glibc

/// Makes an image that a power cut could have left: all durable contents and a random part of the pending changes.
struct ImageMaker {
    /// The unit of atomic writes, in bytes.
    static let sector = 512

    private let medium: Medium
    private var random: SplitMix64
    /// A description of the image, one line for each folder and file.
    private(set) var lines: [String] = []

    init(_ medium: Medium, random: SplitMix64) {
        (self.medium, self.random) = (medium, random)
    }

    /// The part of the pending changes that an image has.
    private enum Share {
        case nothing, everything
        /// Each change with this chance.
        case some(Int, in: Int)
        /// The changes up to a random one, the last one torn.
        case first
        /// All changes but one.
        case allButOne
        /// One change and no other.
        case one
        /// Each sector with this chance.
        case torn(Int, in: Int)
    }

    private mutating func share() -> Share {
        switch random.below(10) {
        case 0: .nothing
        case 1: .everything
        case 2: .some(1, in: 2)
        case 3: .some(1, in: 8)
        case 4: .first
        case 5: .allButOne
        case 6: .one
        case 7: .torn(1, in: 2)
        case 8: .torn(7, in: 8)
        default: .torn(1, in: 16)
        }
    }

    /// Writes the image into an empty folder.
    mutating func write(to path: String) throws {
        try writeFolder("", to: path)
        try writeLock(beside: "\(path)/\(RecordedStore.name)")
    }

    /// Writes a lock of the previous process, which is never synced.
    private mutating func writeLock(beside store: String) throws {
        let text = random.pick([nil, "", "4711\n", "4711\nlock of a message store\n", "\0\0\0\0\0"])
        guard let text, access(folder(of: store), F_OK) == 0 else { return }
        try Data(text.utf8).write(to: URL(filePath: store + ".lock"))
        lines.append("a lock of \(text.utf8.count) bytes")
    }

    private mutating func writeFolder(_ name: String, to path: String) throws {
        guard let folder = medium.folders[name] else { return }
        var entries = folder.kept
        for change in pick(folder.pending, share()) { entries.apply(change) }
        // Sorted, so that a seed repeats the image.
        for (entry, kind) in entries.sorted(by: { $0.key < $1.key }) {
            switch kind {
            case .folder:
                guard mkdir("\(path)/\(entry)", 0o700) == 0 else {
                    throw StoreTestingError("cannot make \(path)/\(entry)")
                }
                lines.append("the folder \(entry)")
                try writeFolder(name.isEmpty ? entry : "\(name)/\(entry)", to: "\(path)/\(entry)")
            case .file(let number):
                if let file = medium.files[number] { try write(file, to: "\(path)/\(entry)") }
            }
        }
    }

    private mutating func pick<Change>(_ changes: [Change], _ share: Share) -> [Change] {
        guard !changes.isEmpty else { return [] }
        let only = random.below(changes.count)
        switch share {
        case .nothing: return []
        case .everything: return changes
        case .first: return Array(changes.prefix(only))
        case .one: return [changes[only]]
        case .allButOne: return changes.enumerated().filter { $0.offset != only }.map(\.element)
        case .some(let count, let all), .torn(let count, let all):
            return changes.filter { _ in random.chance(count, in: all) }
        }
    }

    // MARK: Files

    /// A part of a change that is written atomically.
    private enum Piece {
        case bytes(change: Int, Range<Int>, at: Int)
        case length(Int)
    }

    private mutating func write(_ file: Medium.File, to path: String) throws {
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw StoreTestingError("cannot make \(path)") }
        defer { close(descriptor) }
        var failed = !put(file.kept[...], at: 0, descriptor)
        var line = "\(lastName(of: path)), all \(file.kept.count) bytes that were synced"
        if !file.pending.isEmpty {
            var pieces = pieces(of: file.pending)
            line += "; of \(file.pending.count) changes since \(pieces.count) whole ones or sectors"
            if random.chance(1, in: 4) {
                pieces.shuffle(using: &random)
                line += " in another order"
            }
            for piece in pieces {
                switch piece {
                case .bytes(let change, let range, let offset):
                    guard case .written(_, let bytes) = file.pending[change] else { continue }
                    if !put(bytes[range], at: offset, descriptor) { failed = true }
                case .length(let length):
                    if ftruncate(descriptor, off_t(length)) != 0 { failed = true }
                }
            }
            // The file may have grown before its contents were written.
            if random.chance(1, in: 4), lseek(descriptor, 0, SEEK_END) < length(of: file) {
                if ftruncate(descriptor, off_t(length(of: file))) != 0 { failed = true }
                line += "; all of its length"
            }
        }
        lines.append(line)
        if failed { throw StoreTestingError("cannot write \(path)") }
    }

    private func put(_ bytes: ArraySlice<UInt8>, at offset: Int, _ descriptor: Int32) -> Bool {
        bytes.isEmpty
            || bytes.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, off_t(offset)) } == bytes.count
    }

    private func length(of file: Medium.File) -> Int {
        file.pending.reduce(file.kept.count) { length, change in
            switch change {
            case .written(let offset, let bytes): max(length, offset + bytes.count)
            case .truncated(let length): length
            }
        }
    }

    private mutating func pieces(of changes: [Medium.Change]) -> [Piece] {
        let share = share()
        switch share {
        case .first:
            let end = random.below(changes.count)
            let last = Self.sectors(changes[end], end)
            return changes[..<end].enumerated().map { Self.whole($0.element, $0.offset) }
                + last.prefix(random.below(last.count + 1))
        case .torn(let count, let all):
            return changes.enumerated().flatMap { Self.sectors($0.element, $0.offset) }
                .filter { _ in random.chance(count, in: all) }
        default:
            return pick(Array(changes.enumerated()), share).map { Self.whole($0.element, $0.offset) }
        }
    }

    private static func whole(_ change: Medium.Change, _ number: Int) -> Piece {
        switch change {
        case .written(let offset, let bytes): .bytes(change: number, 0..<bytes.count, at: offset)
        case .truncated(let length): .length(length)
        }
    }

    private static func sectors(_ change: Medium.Change, _ number: Int) -> [Piece] {
        guard case .written(let offset, let bytes) = change else { return [whole(change, number)] }
        var pieces: [Piece] = []
        var begin = 0
        while begin < bytes.count {
            let end = min(bytes.count, ((offset + begin) / sector + 1) * sector - offset)
            pieces.append(.bytes(change: number, begin..<end, at: offset + begin))
            begin = end
        }
        return pieces
    }
}
