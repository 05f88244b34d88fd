/// A payload that is no value of a topic. Never contains the payload.
public struct PayloadDecodingError: PermanentError, Hashable {
    /// The type of the value.
    public let type: String
    /// The place in the payload, such as `readings.3.bar`; empty for the whole payload.
    public let codingPath: String
    /// What is wrong there.
    public let reason: String

    /// The most characters of each text: keys and reasons may come from the network.
    private static let longest = 200

    init(_ type: String, _ error: any Error) {
        var (path, reason): ([any CodingKey], String)
        switch error as? DecodingError {
        case .typeMismatch(_, let context)?, .valueNotFound(_, let context)?, .dataCorrupted(let context)?:
            (path, reason) = (context.codingPath, context.debugDescription)
        case .keyNotFound(let key, let context)?:
            (path, reason) = (context.codingPath + [key], "the key is missing")
        default:
            (path, reason) = ([], "\(error)")
        }
        self.type = type
        codingPath = String(
            path.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".").prefix(Self.longest)
        )
        self.reason = String(reason.prefix(Self.longest))
    }
}

extension PayloadDecodingError: CustomStringConvertible {
    /// The type, the place and the reason, in one line.
    public var description: String {
        let place = codingPath.isEmpty ? "" : " at \(codingPath)"
        return "the payload is no \(type)\(place): \(reason)"
    }
}
