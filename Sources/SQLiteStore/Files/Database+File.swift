import GRDB
import GRDBSQLite

extension Database {
    /// The number of pages that this connection has read from its files.
    var pagesRead: Int {
        var (count, highest): (Int32, Int32) = (0, 0)
        let code = sqlite3_db_status(sqliteConnection, SQLITE_DBSTATUS_CACHE_MISS, &count, &highest, 0)
        return code == SQLITE_OK ? Int(count) : 0
    }

    /// Returns bytes of the database file, without the newer content of the write-ahead log; empty if the file is too
    /// short.
    ///
    /// Uses SQLite's own file handle. Closing any other descriptor of the file in this process would release SQLite's
    /// fcntl(2) locks, and another process could then remove the log while it is in use.
    func bytesOfFile(at offset: Int, count: Int) -> [UInt8] {
        // SAFETY: SQLite stores its own pointer, which is valid as long as the connection, and this runs on its queue.
        var file: UnsafeMutablePointer<sqlite3_file>?
        guard sqlite3_file_control(sqliteConnection, "main", SQLITE_FCNTL_FILE_POINTER, &file) == SQLITE_OK,
            let read = file?.pointee.pMethods?.pointee.xRead
        else { return [] }
        var bytes = [UInt8](repeating: 0, count: count)
        return read(file, &bytes, Int32(count), sqlite3_int64(offset)) == SQLITE_OK ? bytes : []
    }
}
