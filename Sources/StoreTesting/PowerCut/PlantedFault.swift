/// A mistake that the check for power cuts has to find.
package enum PlantedFault: String, Sendable, CaseIterable {
    /// The syncs of files do nothing.
    case noSync
    /// Nothing but the log misses its syncs.
    case noLogSync
    /// Nothing but the database misses its syncs.
    case noFileSync
    /// The syncs of folders do nothing.
    case noFolderSync
    /// A step is called done before it is done.
    case earlyAnswer
}
