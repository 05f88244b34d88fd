/// A change below one folder that a power cut could undo, a sync, or the progress of the driver.
///
/// A file keeps its number when its name changes. Paths are relative to the folder.
enum MediumEvent: Sendable {
    case folderMade(String)
    /// A new file got a name.
    case created(Int, String)
    case written(Int, offset: Int, [UInt8])
    case truncated(Int, length: Int)
    /// All earlier changes of the file are durable from here on.
    case synchronized(Int)
    case linked(String, to: String)
    case renamed(String, to: String)
    case removed(String)
    /// All earlier name changes in the folder are durable from here on.
    case folderSynchronized(String)
    /// The driver began a step: from here on its changes may be on the medium.
    case began(step: Int)
    /// A step returned: from here on its changes must be on the medium, unless `maySlip`.
    case returned(step: Int, maySlip: Bool)

    /// Whether it adds, changes or removes a name.
    var isOfNames: Bool {
        switch self {
        case .folderMade, .created, .linked, .renamed, .removed: true
        default: false
        }
    }
}

/// Returns the path before the last slash; empty for the root folder.
func folder(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
}

/// Returns the name after the last slash.
func lastName(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
}
