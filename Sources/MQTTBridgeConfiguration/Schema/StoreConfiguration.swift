/// The place and handling of the store's file, from `store:`. Its limits are in `BridgeOptions.store`.
public struct StoreConfiguration: Sendable, Hashable {
    /// The durability that a commit waits for.
    public enum Synchronous: String, Sendable, Hashable, CaseIterable {
        /// The medium: a commit survives a power cut.
        case full
        /// The operating system: a commit survives the end of the process. A power cut may undo the last commits.
        case normal
    }

    /// The handling of a damaged file.
    public enum OnCorrupt: String, Sendable, Hashable, CaseIterable {
        /// The bridge does not start; the file stays unchanged.
        case refuse
        /// The file is renamed, and a new store is created.
        case moveAside = "move-aside"
    }

    /// The extent of the check when the bridge starts.
    public enum CheckAtStart: String, Sendable, Hashable, CaseIterable {
        /// The header, the tables, the length of the file and the newest rows: fast, whatever the size of the file.
        case quick
        /// The whole store.
        case full
    }

    /// The path of the file, resolved against the folder of the configuration; nil for the default place.
    public var path: String?
    /// The durability that a commit waits for.
    public var synchronous: Synchronous
    /// The handling of a damaged file.
    public var onCorrupt: OnCorrupt
    /// The extent of the check when the bridge starts.
    public var checkAtStart: CheckAtStart

    /// Creates a configuration; the defaults lose nothing.
    public init(
        path: String? = nil,
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
