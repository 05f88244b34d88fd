/// Encodes values as payloads, and decodes them.
///
/// ```swift
/// extension PayloadCodec<Celsius> {
///     static let tenths = PayloadCodec(mediaType: "application/x-tenths") { [$0.tenths] } decode: { Celsius(tenths: $0[0]) }
/// }
/// let outside = Topic<Celsius>("outside.{station}", .tenths)
/// ```
public struct PayloadCodec<Value: Sendable>: Sendable {
    /// Identifies a codec of a user.
    private final class Identity: Sendable {}

    /// The media type of encoded payloads, which events get as their content type; nil for none.
    public let mediaType: String?

    let id: CodecID
    let encode: @Sendable (Value) throws -> [UInt8]
    let decode: @Sendable ([UInt8]) throws -> Value
    /// Keeps the identity from being given to another codec.
    private let identity: Identity?

    /// Creates a codec.
    ///
    /// - Parameters:
    ///   - mediaType: The media type of encoded payloads, without parameters; nil for none.
    ///   - encode: Returns the bytes of a value. Called at most once for each emitted value.
    ///   - decode: Returns the value of bytes. Called at most once for each received event. An error is permanent: the
    ///     listener is not called for the event.
    public init(
        mediaType: String? = nil,
        encode: @escaping @Sendable (Value) throws -> [UInt8],
        decode: @escaping @Sendable ([UInt8]) throws -> Value
    ) {
        let identity = Identity()
        self.mediaType = mediaType
        self.encode = encode
        self.decode = decode
        self.identity = identity
        id = .own(ObjectIdentifier(identity))
    }

    /// Creates a codec of this package: all of one name and value type decode alike.
    package init(
        standard name: String,
        mediaType: String?,
        encode: @escaping @Sendable (Value) throws -> [UInt8],
        decode: @escaping @Sendable ([UInt8]) throws -> Value
    ) {
        self.mediaType = mediaType
        self.encode = encode
        self.decode = decode
        identity = nil
        id = .standard(name, ObjectIdentifier(Value.self))
    }

    /// Whether payloads of a content type are for this codec: the same media type, whatever its parameters, or one with its
    /// subtype as suffix (`application/senml+json` for `application/json`; RFC 6839).
    func accepts(_ contentType: String) -> Bool {
        guard let mediaType else { return false }
        let given = contentType.prefix { $0 != ";" && $0 != " " }.lowercased()
        let wanted = mediaType.lowercased()
        if given == wanted { return true }
        let subtype = wanted.drop { $0 != "/" }.dropFirst()
        return !subtype.isEmpty && given.hasSuffix("+\(subtype)")
    }
}

extension PayloadCodec<[UInt8]> {
    /// The bytes as they are.
    public static var bytes: PayloadCodec {
        PayloadCodec(standard: "bytes", mediaType: nil, encode: { $0 }, decode: { $0 })
    }
}

extension PayloadCodec where Value: LosslessStringConvertible {
    /// The text of a value in UTF-8: `21.5`, `on`. For types other than `String`, white space around it is ignored.
    public static var text: PayloadCodec {
        PayloadCodec(standard: "text", mediaType: "text/plain") { value in
            Array(value.description.utf8)
        } decode: { bytes in
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw PayloadProblem("the text is not valid UTF-8")
            }
            guard let value = Value(text) ?? Value(text.trimmed) else {
                throw PayloadProblem("the text is no \(Value.self)")
            }
            return value
        }
    }
}

extension String {
    /// The text without ASCII white space at its ends.
    fileprivate var trimmed: String {
        let isSpace: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") || (9...13).contains($0) }
        let bytes = utf8.drop(while: isSpace)
        return String(Substring(bytes.prefix(bytes.count - bytes.reversed().prefix(while: isSpace).count)))
    }
}

/// What is wrong with a payload.
package struct PayloadProblem: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
