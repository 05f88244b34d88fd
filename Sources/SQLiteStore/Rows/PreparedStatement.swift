import GRDB
import GRDBSQLite
import MessageStore

/// A prepared statement for repeated use.
///
/// This file and `Database+File.swift` are the only users of SQLite's C interface. GRDB's arguments and rows cost
/// several allocations for each value, which would dominate the cost of a message. Used on the queue of its database
/// only.
///
/// Values are bound in order; ``bindChecksum()`` binds the checksum of the preceding values.
final class PreparedStatement {
    /// Keeps `handle` alive.
    private let statement: Statement
    private let handle: OpaquePointer
    private var parameter: Int32 = 0
    private var checksum = Checksum()
    private var bindCode = SQLITE_OK
    /// A buffer for short texts until the statement has run. A copy by SQLite costs an allocation for each text.
    // SAFETY: allocated in `init`, freed in `deinit`; `reset()` removes every binding into it before it sets `used` to
    // 0.
    private let texts = UnsafeMutableRawBufferPointer.allocate(byteCount: 1024, alignment: 1)
    private var used = 0
    /// A buffer for the head of a row until the statement has run.
    private var head = RecordHeadWriter()

    init(_ sql: String, in database: Database) throws {
        statement = try database.makeStatement(sql: sql)
        handle = statement.sqliteStatement
    }

    deinit {
        sqlite3_clear_bindings(handle)
        texts.deallocate()
    }

    /// Discards the bindings of a caller that failed before it ran the statement.
    func prepare() {
        if parameter != 0 { reset() }
    }

    // MARK: Parameters

    func bind(_ number: Int64) {
        checksum.add(number)
        note(sqlite3_bind_int64(handle, next(), number))
    }

    func bind(_ number: Int64?) {
        if let number { bind(number) } else { bindNull() }
    }

    func bind(_ text: String?) {
        if let text { bind(text) } else { bindNull() }
    }

    func bind(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            let bytes = UnsafeRawBufferPointer(bytes)
            checksum.add(bytes)
            var start = bytes.baseAddress
            var destructor: sqlite3_destructor_type?
            if used + bytes.count <= texts.count {
                let copy = UnsafeMutableRawBufferPointer(rebasing: texts[used..<(used + bytes.count)])
                copy.copyMemory(from: bytes)
                used += bytes.count
                // Not nil, even for an empty text: SQLite would bind NULL.
                start = UnsafeRawPointer(texts.baseAddress! + used - bytes.count)
            } else {
                // SAFETY: -1 is SQLITE_TRANSIENT, a cast that the importer leaves out: SQLite copies the text.
                destructor = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
            }
            let characters = start?.assumingMemoryBound(to: CChar.self)
            note(sqlite3_bind_text64(handle, next(), characters, UInt64(bytes.count), destructor, UInt8(SQLITE_UTF8)))
        }
    }

    /// Binds the texts of a message as one BLOB.
    func bindHead(_ record: borrowing InboundRecord) {
        head.clear()
        head.append(record.topic)
        head.append(record.event)
        head.append(record.source)
        head.append(record.tag)
        head.append(record.details)
        let bytes = head.bytes
        checksum.add(bytes)
        // SAFETY: the bytes are valid until the next head, and `reset()` removes the binding before that.
        note(sqlite3_bind_blob64(handle, next(), bytes.baseAddress, UInt64(bytes.count), nil))
    }

    /// Binds the payload and the checksum as the last two values, and runs the statement.
    func execute(payload: [UInt8]?) throws {
        guard let payload else {
            bindNull()
            bindChecksum()
            return try execute()
        }
        try payload.withUnsafeBytes { bytes in
            checksum.add(bytes)
            // SAFETY: the bytes are valid until this closure ends, and `execute()` removes the binding.
            if bytes.isEmpty {
                note(sqlite3_bind_zeroblob(handle, next(), 0))
            } else {
                note(sqlite3_bind_blob64(handle, next(), bytes.baseAddress, UInt64(bytes.count), nil))
            }
            bindChecksum()
            try execute()
        }
    }

    func bindChecksum() {
        note(sqlite3_bind_int64(handle, next(), Int64(bitPattern: checksum.value)))
    }

    private func bindNull() {
        checksum.addNull()
        note(sqlite3_bind_null(handle, next()))
    }

    private func next() -> Int32 {
        parameter += 1
        return parameter
    }

    private func note(_ code: Int32) {
        if code != SQLITE_OK { bindCode = code }
    }

    // MARK: Running

    /// Runs the statement to completion.
    func execute() throws {
        defer { reset() }
        while try step() {}
    }

    /// Calls `body` for each row until it returns false.
    func forEachRow(_ body: () throws -> Bool) throws {
        defer { reset() }
        while try step(), try body() {}
    }

    /// Returns the result of `body` for the first row; nil if there is no row.
    func first<Result>(_ body: () throws -> Result) throws -> Result? {
        defer { reset() }
        return try step() ? try body() : nil
    }

    private func step() throws -> Bool {
        let code = bindCode == SQLITE_OK ? sqlite3_step(handle) : bindCode
        switch code {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default:
            let message = sqlite3_errmsg(sqlite3_db_handle(handle)).map { String(cString: $0) }
            throw DatabaseError(resultCode: ResultCode(rawValue: code), message: message)
        }
    }

    /// Resets the statement and removes all bindings.
    private func reset() {
        sqlite3_reset(handle)
        sqlite3_clear_bindings(handle)
        parameter = 0
        used = 0
        checksum = Checksum()
        bindCode = SQLITE_OK
    }

    // MARK: Columns of the row, from 0

    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }

    func optionalInteger(_ column: Int32) -> Int64? {
        sqlite3_column_type(handle, column) == SQLITE_NULL ? nil : integer(column)
    }

    func text(_ column: Int32) -> String { String(decoding: raw(column), as: UTF8.self) }

    func bytes(_ column: Int32) -> [UInt8] { Array(raw(column)) }

    func optionalBytes(_ column: Int32) -> [UInt8]? {
        sqlite3_column_type(handle, column) == SQLITE_NULL ? nil : bytes(column)
    }

    /// Calls `body` with the head in a column.
    func head<Result>(_ column: Int32, _ body: (inout RecordHead) throws -> Result) rethrows -> Result {
        var head = RecordHead(raw(column))
        return try body(&head)
    }

    /// Returns the size of a column in bytes. Does not read its overflow pages.
    func size(_ column: Int32) -> Int { Int(sqlite3_column_bytes(handle, column)) }

    /// Whether the last column is the checksum of the preceding columns.
    var isSound: Bool { isSound(through: sqlite3_column_count(handle) - 1) }

    /// Whether column `last` is the checksum of the preceding columns.
    func isSound(through last: Int32) -> Bool {
        var checksum = Checksum()
        for column in 0..<last {
            switch sqlite3_column_type(handle, column) {
            case SQLITE_INTEGER: checksum.add(integer(column))
            case SQLITE_NULL: checksum.addNull()
            default: checksum.add(raw(column))
            }
        }
        return checksum.value == UInt64(bitPattern: integer(last))
    }

    /// SAFETY: SQLite owns the bytes, which are valid until the next step; every caller copies them at once.
    private func raw(_ column: Int32) -> UnsafeRawBufferPointer {
        // First the pointer: sqlite3_column_blob may convert the value and change its size.
        let start = sqlite3_column_blob(handle, column)
        return UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column)))
    }
}
