/// Options for a ``SQLiteStore``.
public struct SQLiteStoreOptions: Sendable, Hashable {
    /// The durability that a commit waits for.
    public enum Synchronous: String, Sendable, Hashable, CaseIterable {
        /// The medium: a commit survives a power cut.
        case full
        /// The operating system: a commit survives the end of the process. A power cut may undo the last commits; the
        /// rest stays consistent.
        case normal
    }

    /// The handling of a damaged file.
    public enum OnCorrupt: String, Sendable, Hashable, CaseIterable {
        /// Opening fails; the file stays unchanged.
        case refuse
        /// The file is renamed, and a new store is created.
        case moveAside
    }

    /// The extent of the check when a store is opened.
    public enum CheckAtStart: String, Sendable, Hashable, CaseIterable {
        /// The header, the tables, the length of the file and the newest rows of each table: some milliseconds,
        /// whatever the size of the file. Damage elsewhere is detected when it is read.
        case quick
        /// The whole store, as by ``SQLiteStore/check()``: a few seconds for each GB.
        case full
    }

    /// The path of the file. A missing folder is created.
    public var path: String
    /// The durability that a commit waits for.
    public var synchronous: Synchronous
    /// The handling of a damaged file.
    public var onCorrupt: OnCorrupt
    /// The extent of the check when the store is opened. After damage was detected in use, the check is full regardless
    /// of this value, until the store is found sound.
    public var checkAtStart: CheckAtStart
    /// The number of pages in the write-ahead log at which SQLite starts a checkpoint.
    package var logFrames = 2_000

    /// Creates options; the defaults lose nothing.
    public init(
        path: String,
        synchronous: Synchronous = .full,
        onCorrupt: OnCorrupt = .refuse,
        checkAtStart: CheckAtStart = .quick
    ) {
        self.path = path
        self.synchronous = synchronous
        self.onCorrupt = onCorrupt
        self.checkAtStart = checkAtStart
    }
}
