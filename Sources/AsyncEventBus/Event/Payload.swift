/// The payload of an event: bytes.
///
/// Opaque, so that a later version can pass a typed value across the bus and encode it only when bytes are needed.
public struct Payload: Sendable, Hashable {
    /// The bytes.
    public let bytes: [UInt8]

    /// Wraps bytes without a copy.
    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Copies bytes, such as those of `Data` or of a slice.
    public init(_ bytes: some Sequence<UInt8>) {
        self.bytes = Array(bytes)
    }

    /// Encodes a text as UTF-8.
    public init(_ text: some StringProtocol) {
        bytes = Array(text.utf8)
    }

    /// The empty payload.
    public static let empty = Payload([UInt8]())

    /// The bytes as text; nil if they are not valid UTF-8.
    public var text: String? {
        String(validating: bytes, as: UTF8.self)
    }
}

extension Payload: ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
    /// Encodes a literal as UTF-8.
    public init(stringLiteral text: String) {
        self.init(text)
    }
}
