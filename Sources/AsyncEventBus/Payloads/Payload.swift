/// The payload of an event: bytes, or a value that becomes bytes when a transport needs them.
public struct Payload: Sendable {
    private enum Storage: Sendable {
        case bytes([UInt8])
        case value(EncodableValue)
    }

    private let storage: Storage

    /// Wraps bytes without a copy.
    public init(_ bytes: [UInt8]) {
        storage = .bytes(bytes)
    }

    /// Copies bytes, such as those of `Data` or of a slice.
    public init(_ bytes: some Sequence<UInt8>) {
        storage = .bytes(Array(bytes))
    }

    /// Encodes a text as UTF-8.
    public init(_ text: some StringProtocol) {
        storage = .bytes(Array(text.utf8))
    }

    init(_ value: EncodableValue) {
        storage = .value(value)
    }

    /// The empty payload.
    public static let empty = Payload([UInt8]())

    /// The bytes. Those of a value are encoded at the first use; they are empty if that fails: see ``encoded()``.
    public var bytes: [UInt8] {
        switch storage {
        case .bytes(let bytes): bytes
        case .value(let value): (try? value.bytes()) ?? []
        }
    }

    /// Returns the bytes; encodes a value at the first use.
    ///
    /// - Throws: The error of the ``PayloadCodec``.
    public func encoded() throws -> [UInt8] {
        switch storage {
        case .bytes(let bytes): bytes
        case .value(let value): try value.bytes()
        }
    }

    /// The value that was emitted on this bus; nil for bytes.
    var value: EncodableValue? {
        switch storage {
        case .bytes: nil
        case .value(let value): value
        }
    }

    /// The bytes that count against the bounds of mailboxes.
    var size: Int {
        switch storage {
        case .bytes(let bytes): bytes.count
        case .value(let value): value.size
        }
    }

    /// The bytes as text; nil if they are not valid UTF-8.
    public var text: String? {
        String(validating: bytes, as: UTF8.self)
    }
}

extension Payload: Hashable {
    /// Compares bytes.
    public static func == (left: Payload, right: Payload) -> Bool { left.bytes == right.bytes }

    /// Hashes bytes.
    public func hash(into hasher: inout Hasher) { hasher.combine(bytes) }
}

extension Payload: ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
    /// Encodes a literal as UTF-8.
    public init(stringLiteral text: String) {
        self.init(text)
    }
}
