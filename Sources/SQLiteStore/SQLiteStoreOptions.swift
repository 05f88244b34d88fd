/// How a ``SQLiteStore`` is opened.
public struct SQLiteStoreOptions: Sendable, Hashable {
    /// What a commit waits for.
    public enum Synchronous: String, Sendable, Hashable, CaseIterable {
        /// For the medium: what was committed survives a power cut.
        case full
        /// For the operating system: what was committed survives the end of the process, but a power cut may take the
        /// last commits with it. What is left is whole.
        case normal
    }

    /// What happens to a damaged file.
    public enum WhenDamaged: String, Sendable, Hashable, CaseIterable {
        /// Opening fails; the file stays as it is.
        case refuse
        /// The file gets another name, and a new store begins.
        case moveAside
    }

    /// The path of the file. Its folder is made when it is missing.
    public var path: String
    /// What a commit waits for.
    public var synchronous: Synchronous
    /// What happens to a damaged file.
    public var whenDamaged: WhenDamaged

    /// Options; the defaults lose nothing.
    public init(path: String, synchronous: Synchronous = .full, whenDamaged: WhenDamaged = .refuse) {
        self.path = path
        self.synchronous = synchronous
        self.whenDamaged = whenDamaged
    }
}
