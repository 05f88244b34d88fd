/// Classifies a file by its first bytes. Pure.
///
/// It distinguishes a store with a damaged header from a file that never was a store and must not be renamed.
struct StoreHeader: Sendable {
    /// The length of a database header, in bytes (SQLite's file format, section 1.3).
    static let length = 100

    /// The kind of a file.
    enum Kind: Hashable {
        case store
        /// A damaged store, with a description.
        case damaged(String)
        /// Any other file, with a description.
        case foreign(String)
    }

    /// The constant header fields of every store: magic string; page size, versions and payload fractions; schema
    /// format; text encoding; application ID.
    private static let fields: [(offset: Int, bytes: [UInt8])] = [
        (0, Array("SQLite format 3\0".utf8)), (16, [UInt8(Schema.pageSize >> 8), 0x00, 2, 2, 0, 64, 32, 32]),
        (44, [0, 0, 0, 4]),
        (56, [0, 0, 0, 1]), (Self.applicationOffset, Self.application),
    ]
    private static let applicationOffset = 68
    private static let application = (0..<4).map { UInt8(truncatingIfNeeded: Schema.applicationID >> (24 - 8 * $0)) }
    /// The most flipped bits that count as damage. A header without an application ID differs by 12 bits in that field.
    private static let flips = (all: 16, application: 4)

    private let bytes: [UInt8]

    /// - Parameter bytes: The first ``length`` bytes, or all bytes of a shorter file.
    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Returns the kind of the file.
    ///
    /// - Parameter isMarked: Whether the log or lock beside the file proves an earlier store. It decides if the bytes
    ///   do not.
    func kind(isMarked: Bool) -> Kind {
        if bytes.allSatisfy({ $0 == 0 }) {
            let text = bytes.isEmpty ? "the file is empty" : "the file begins with zeros"
            return isMarked ? .damaged(text) : .foreign(text)
        }
        let isAlike = distance <= Self.flips.all && applicationDistance <= Self.flips.application
        guard bytes.count == Self.length else {
            let reachesApplication = bytes.count >= Self.applicationOffset + Self.application.count
            // In a few bytes, any file differs from a store by only a few bits.
            let wasStore = reachesApplication ? isAlike : isMarked && distance == 0
            return wasStore ? .damaged("the file is cut short") : .foreign("the file is no database")
        }
        let isDatabase = bytes.starts(with: Self.fields[0].bytes)
        if isDatabase, applicationDistance == 0 {
            // SQLite opens a file with a higher write version read-only and refuses a higher read version (section
            // 1.3.3).
            return bytes[18] <= 2 && bytes[19] <= 2 ? .store : .damaged("the header of the file is damaged")
        }
        if isAlike { return .damaged("the header of the file is damaged") }
        return .foreign(isDatabase ? "the file is a database, but no store" : "the file is no database")
    }

    /// The number of present bits that differ from the header of a store.
    private var distance: Int {
        Self.fields.reduce(0) { $0 + distance(from: $1.bytes, at: $1.offset) }
    }

    private var applicationDistance: Int { distance(from: Self.application, at: Self.applicationOffset) }

    private func distance(from expected: [UInt8], at offset: Int) -> Int {
        zip(bytes.dropFirst(offset), expected).reduce(0) { $0 + ($1.0 ^ $1.1).nonzeroBitCount }
    }
}
