import Glibc

/// A file that reserves space on the medium; the store deletes it when the medium is full.
///
/// A checkpoint may extend the database. Without space for that the log cannot restart, and then even a removal cannot
/// be written. The reserve covers the log and its index, which also need space when a store is opened on a full medium.
/// A quarter more is a margin for inbound messages after outbound messages have used up the rest: a client that cannot
/// store inbound messages cannot read acknowledgements either.
struct StoreReserve: Sendable {
    private let files: StoreFiles
    /// The number of pages in the log at which a checkpoint starts; smaller on a small medium.
    let logFrames: Int

    init(beside files: StoreFiles, logFrames: Int) {
        self.files = files
        var status = statvfs()
        let total = statvfs(files.folder, &status) == 0 ? Int(clamping: status.f_blocks) * Int(status.f_frsize) : 0
        self.logFrames = total == 0 ? logFrames : max(min(32, logFrames), min(logFrames, total / Schema.pageSize / 64))
    }

    private var path: String { files.path + ".reserve" }

    /// The preallocated size of the log, in bytes. It exceeds ``logFrames``, since a commit may pass that limit by some
    /// pages.
    var logBytes: Int { (logFrames + logFrames / 10 + 4) * (Schema.pageSize + 24) }

    /// The number of pages by which the file may still grow on a full medium; outbound messages must leave them free.
    var marginPages: Int64 { Int64(logFrames / 4) }

    private var bytes: Int { least + Int(marginPages) * Schema.pageSize }

    /// The size of the index of the log.
    private static let indexBytes = 32_768

    /// The space that the next owner needs to open the store, for the log and its index, in bytes.
    private var least: Int { (logBytes + 4_095) / 4_096 * 4_096 + Self.indexBytes }

    /// Whether the medium has space for the index of the log.
    var leavesRoomForIndex: Bool { free >= Self.indexBytes }

    /// The free space of the medium for this user, in bytes; the maximum if unknown.
    private var free: Int {
        var status = statvfs()
        guard statvfs(files.folder, &status) == 0 else { return .max }
        return Int(clamping: status.f_bavail) * Int(status.f_frsize)
    }

    /// Whether one transaction may extend the database by `pages` pages, each of which also takes space in the log.
    func allowsGrowth(pages: Int) -> Bool { pages <= logFrames / 4 || free >= 2 * pages * Schema.pageSize }

    /// Whether the medium has space for a database file of `pages` pages after a checkpoint.
    func hasRoom(forFileOf pages: Int64) -> Bool {
        var status = stat()
        guard lstat(files.path, &status) == 0 else { return true }
        let missing = Int(pages) * Schema.pageSize - Int(status.st_size)
        // File systems allocate whole blocks.
        return missing <= 0 || free >= missing + 4_096
    }

    /// Creates the reserve if it is missing or too small and there is space. Returns whether it exists.
    ///
    /// - Parameter isLast: Whether the store is about to close and needs no other space.
    func make(isLast: Bool = false) -> Bool {
        var status = stat()
        if lstat(path, &status) == 0, Int(status.st_size) >= (isLast ? least : bytes) { return true }
        let free = free
        let size = isLast && free < bytes ? least : bytes
        guard free >= size + (isLast ? 0 : bytes / 4) else { return false }
        return files.writeZeros(to: path, bytes: size)
    }

    /// Deletes the reserve. Returns whether there was one.
    func giveUp() -> Bool { files.calls.remove(path) == 0 }
}
