/// Where the store is and how its file is treated: what `store:` says about the medium. How much it may hold is in
/// `BridgeOptions.store`.
public struct StoreConfiguration: Sendable, Hashable {
    /// What a commit waits for.
    public enum Synchronous: String, Sendable, Hashable, CaseIterable {
        /// For the medium: what was committed survives a power cut.
        case full
        /// For the operating system: a power cut may take the last commits with it, the end of the process none.
        case normal
    }

    /// What happens to a damaged file.
    public enum WhenCorrupt: String, Sendable, Hashable, CaseIterable {
        /// The bridge does not start; the file stays as it is.
        case refuse
        /// The file gets another name, and a new store begins.
        case moveAside = "move-aside"
    }

    /// The path of the file, relative ones already put behind the folder of the configuration; nil for the default place.
    public var path: String?
    /// What a commit waits for.
    public var synchronous: Synchronous
    /// What happens to a damaged file.
    public var whenCorrupt: WhenCorrupt

    /// A store; the defaults lose nothing.
    public init(path: String? = nil, synchronous: Synchronous = .full, whenCorrupt: WhenCorrupt = .refuse) {
        self.path = path
        self.synchronous = synchronous
        self.whenCorrupt = whenCorrupt
    }
}
