/// A deliberate fault that the power-cut check must find.
package enum PlantedFault: String, Sendable, CaseIterable {
    /// Syncs of files do nothing.
    case noSync
    /// Only syncs of the log do nothing.
    case noLogSync
    /// Only syncs of the database do nothing.
    case noFileSync
    /// Syncs of folders do nothing.
    case noFolderSync
    /// A step counts as returned before it is carried out.
    case earlyAnswer
}
