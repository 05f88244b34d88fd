import GRDB
import MessageStore

import Glibc

extension StoreError {
    /// Converts an SQLite error.
    init(_ error: DatabaseError, operation: String, path: String) {
        let code = error.extendedResultCode
        let message = (error.message ?? "no message") + " (SQLite code \(code.rawValue))"
        switch code.primaryResultCode {
        case .SQLITE_FULL:
            self.init(.full, operation: operation, detail: message, advice: "Make room on the medium of \(path).")
        case .SQLITE_IOERR:
            self.init(.io, operation: operation, detail: message, advice: "Check the medium of \(path).")
        case .SQLITE_READONLY:
            self.init(.readOnly, operation: operation, detail: message, advice: "Make \(path) writable.")
        case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH:
            let advice = "Give this user the right to read and write \(path) and its folder."
            self.init(.notPermitted, operation: operation, detail: message, advice: advice)
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            self = .damaged(path, operation: operation, detail: message)
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            let advice = "End the other program that writes to \(path)."
            self.init(.busy, operation: operation, detail: message, advice: advice)
        default:
            self.init(.other, operation: operation, detail: message)
        }
    }

    /// Converts the `errno` of a system call.
    init(system code: Int32, operation: String) {
        let detail = String(cString: strerror(code))
        switch code {
        case ENOSPC, EDQUOT: self.init(.full, operation: operation, detail: detail, advice: "Make room there.")
        case EROFS: self.init(.readOnly, operation: operation, detail: detail, advice: "Make it writable.")
        case EACCES, EPERM, ELOOP:
            let advice = "Give this user the right to read and write it and its folder."
            self.init(.notPermitted, operation: operation, detail: detail, advice: advice)
        case ENOTDIR:
            let detail = "a part of the path is not a folder"
            self.init(.notPermitted, operation: operation, detail: detail, advice: "Name another path.")
        case EIO: self.init(.io, operation: operation, detail: detail, advice: "Check the medium.")
        default: self.init(.other, operation: operation, detail: detail)
        }
    }

    /// Returns the error for a damaged store, with advice for a rescue.
    static func damaged(_ path: String, operation: String, detail: String, row: StoreRow? = nil) -> StoreError {
        let advice = """
            Move \(path) and the files \(path)-wal and \(path)-shm away, or let a damaged store be moved aside, and \
            start again. What is left in it: sqlite3 \(path) .recover
            """
        return StoreError(.damaged, operation: operation, detail: detail, advice: advice, row: row)
    }
}
