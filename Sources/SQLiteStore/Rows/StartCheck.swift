extension SQLiteStore {
    /// The extent and cost of the check when a store was opened.
    public struct StartCheck: Sendable, Hashable {
        /// The extent of the check.
        public var kind: SQLiteStoreOptions.CheckAtStart
        /// Whether the check was full because damage was detected earlier.
        public var isAfterDamage: Bool
        /// The duration of the check.
        public var duration: Duration
        /// The number of bytes that it read from the file and its log.
        public var bytesRead: Int
    }
}
