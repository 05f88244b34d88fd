/// What an event carries: bytes.
///
/// Opaque, so that a later version can carry a typed value across the bus and encode it only where bytes are needed.
public struct Payload: Sendable, Hashable {
    /// The bytes.
    public let bytes: [UInt8]

    /// Wraps bytes, without copying them.
    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Takes the UTF-8 of a text.
    public init(_ text: some StringProtocol) {
        bytes = Array(text.utf8)
    }

    /// No bytes.
    public static let empty = Payload([UInt8]())

    /// The bytes as text, or nil where they are not valid UTF-8.
    public var text: String? {
        String(validating: bytes, as: UTF8.self)
    }
}

extension Payload: ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
    /// Takes the UTF-8 of a text written in the source.
    public init(stringLiteral text: String) {
        self.init(text)
    }
}
