import Locking

/// A value that crosses the bus as it is, and is encoded at most once.
final class EncodableValue: Sendable {
    let value: any Sendable
    /// What the value counts against the bounds of mailboxes: its bytes if it was encoded at once, else the bytes that it
    /// takes in memory, without those that it refers to.
    let size: Int
    private let encode: @Sendable () throws -> [UInt8]
    private let encoded: Locked<Result<[UInt8], any Error>?>

    init<Value: Sendable>(_ value: Value, bytes: [UInt8]?, encode: @escaping @Sendable (Value) throws -> [UInt8]) {
        self.value = value
        size = bytes?.count ?? MemoryLayout<Value>.size
        encoded = Locked(bytes.map { .success($0) })
        self.encode = { try encode(value) }
    }

    /// Returns the bytes. The first call encodes, while others wait.
    func bytes() throws -> [UInt8] {
        try encoded.withLock { encoded in
            let result = encoded ?? Result { try encode() }
            encoded = result
            return try result.get()
        }
    }
}
