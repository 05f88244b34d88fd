import GRDB

import Glibc

/// Detects a truncated database: each page beyond the end of the file must be in the write-ahead log or be free.
///
/// SQLite checks the length of the file too, but not beside a log with content, and not for a partial last page. The
/// content of a free page does not matter, and a page that became free before its first write exists nowhere.
///
/// Used within a read transaction, so that no process restarts the log meanwhile. Offsets are from SQLite's file
/// format, sections 1.3, 1.5 and 4.
struct StoreTail: ~Copyable {
    private static let logHeader = (file: 32, frame: 24)

    private let database: Database
    private let pageSize: Int
    /// SQLite has no fcntl(2) locks on the log, so closing this descriptor releases none.
    private let log: Int32
    /// The number of whole pages in the file.
    private let present: Int
    /// The offset of the newest content of each page in the log.
    private var logged: [Int: Int] = [:]

    init(of database: Database, _ files: StoreFiles) throws {
        self.database = database
        pageSize = try Int.fetchOne(database, sql: "PRAGMA page_size") ?? Schema.pageSize
        log = open(files.path + "-wal", O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        present = Int(StoreFiles.status(files.path)?.st_size ?? 0) / pageSize
    }

    deinit { _ = close(log) }

    /// Returns the number of missing pages of a database with `count` pages. Reads the frame headers of the log and the
    /// list of free pages, but only if the file is too short.
    consuming func pagesMissing(of count: Int) -> Int {
        guard present < count else { return 0 }
        readLog()
        let free = freePages(of: count)
        let beyond = count - present
        // A damaged count may be huge: avoid the loop.
        guard beyond <= logged.count + free.count else { return beyond - logged.count - free.count }
        return (present + 1...count).count { logged[$0] == nil && !free.contains($0) }
    }

    private mutating func readLog() {
        let header = bytesOfLog(0, Self.logHeader.file)
        guard header.contains(where: { $0 != 0 }) else { return }
        var begun: [Int: Int] = [:]
        var offset = header.count
        while true {
            let frame = bytesOfLog(offset, Self.logHeader.frame)
            // The two salts tell a frame of this log from a frame before the last restart.
            guard frame.count == Self.logHeader.frame, frame[8..<16] == header[16..<24] else { return }
            begun[Self.number(frame, 0)] = offset + frame.count
            // A commit frame.
            if Self.number(frame, 4) != 0 {
                logged.merge(begun) { $1 }
                begun = [:]
            }
            offset += frame.count + pageSize
        }
    }

    /// Returns the leaf pages of the freelist, without its trunk pages.
    private func freePages(of count: Int) -> Set<Int> {
        var free: Set<Int> = []
        var list = Self.number(page(1), 32)
        var lists = 0
        // The bound on `lists` ends a cycle.
        while list > 0, list <= count, lists < count {
            let content = page(list)
            guard content.count == pageSize else { break }
            for place in 0..<min(Self.number(content, 4), pageSize / 4 - 2) {
                free.insert(Self.number(content, 8 + 4 * place))
            }
            list = Self.number(content, 0)
            lists += 1
        }
        return free
    }

    private func page(_ number: Int) -> [UInt8] {
        if let offset = logged[number] { return bytesOfLog(offset, pageSize) }
        return database.bytesOfFile(at: (number - 1) * pageSize, count: pageSize)
    }

    /// Returns up to `length` bytes; fewer at the end of the log.
    private func bytesOfLog(_ offset: Int, _ length: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: length)
        let count = pread(log, &bytes, length, off_t(offset))
        return Array(bytes.prefix(max(0, count)))
    }

    /// Returns a big-endian 32-bit integer; 0 beyond the end.
    private static func number(_ bytes: [UInt8], _ offset: Int) -> Int {
        guard bytes.count >= offset + 4 else { return 0 }
        return bytes[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
    }
}
