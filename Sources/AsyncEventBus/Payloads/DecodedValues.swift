import Locking

/// The values that the payload of one event was decoded to: one for each codec, whatever the number of listeners.
final class DecodedValues: Sendable {
    private struct Entry {
        let codec: CodecID
        let result: Result<any Sendable, any Error>
    }

    private let entries = Locked<[Entry]>([])

    /// Returns the value for a codec; the first call decodes, while others for the same event wait.
    func value<Value: Sendable>(for codec: CodecID, decode: () throws -> Value) throws -> Value {
        try entries.withLock { entries in
            if let entry = entries.first(where: { $0.codec == codec }), let value = try entry.result.get() as? Value {
                return value
            }
            let result = Result { try decode() }
            entries.append(Entry(codec: codec, result: result.map { $0 }))
            return try result.get()
        }
    }
}

/// Identifies a codec.
enum CodecID: Sendable, Hashable {
    /// A codec of this package, for a type.
    case standard(String, ObjectIdentifier)
    /// A codec of a user.
    case own(ObjectIdentifier)
}
