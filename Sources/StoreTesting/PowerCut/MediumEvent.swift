/// What was done to the files below one folder, in order, as far as a power cut could undo it; and what the driver knew.
///
/// Files have numbers, which stay when their names change. Paths are those below the folder.
enum MediumEvent: Sendable {
    case folderMade(String)
    /// A name was given to a new file.
    case created(Int, String)
    case written(Int, offset: Int, [UInt8])
    case truncated(Int, length: Int)
    /// All changes of the file so far are on the medium from here on.
    case synchronized(Int)
    case linked(String, to: String)
    case renamed(String, to: String)
    case removed(String)
    /// All changes of the names in the folder so far are on the medium from here on.
    case folderSynchronized(String)
    /// The driver began a step; from here on what it does may be there.
    case began(step: Int)
    /// A step returned. From here on what it did must be there, unless `maySlip`.
    case returned(step: Int, maySlip: Bool)

    /// Whether it changes which names there are.
    var isOfNames: Bool {
        switch self {
        case .folderMade, .created, .linked, .renamed, .removed: true
        default: false
        }
    }
}

/// The name in front of the last slash; empty for the uppermost folder.
func folder(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
}

/// The name behind the last slash.
func lastName(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
}
