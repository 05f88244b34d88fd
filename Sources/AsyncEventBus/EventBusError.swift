/// An error of the bus: the attempted operation and the reason of its failure. Never contains a payload.
public struct EventBusError: Error, Sendable, Hashable {
    /// The kind of failure. Later versions may add kinds: switch with a default.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Kind: String {
            case invalidName = "invalid name"
            case invalidPattern = "invalid pattern"
            case notRelayed = "no transport took it"
            case notStored = "no transport keeps it"
            case postponed = "kept for later"
            case refused = "refused"
        }

        private let kind: Kind

        /// The text is not the spelling of a name.
        public static let invalidName = Code(kind: .invalidName)
        /// The text is not a pattern.
        public static let invalidPattern = Code(kind: .invalidPattern)
        /// No attached transport has a route for the event.
        public static let notRelayed = Code(kind: .notRelayed)
        /// No attached transport stores the event on disk.
        public static let notStored = Code(kind: .notStored)
        /// The process ends, and a transport has the event on disk: the next process delivers it. Nothing is lost.
        public static let postponed = Code(kind: .postponed)
        /// A transport accepted the event and could not deliver it.
        public static let refused = Code(kind: .refused)

        /// The kind, in words.
        public var description: String { kind.rawValue }
    }

    /// The kind of failure.
    public let code: Code
    /// The attempted operation, with its values.
    public let operation: String
    /// The reason of the failure, and the remedy.
    public let detail: String

    /// Creates an error.
    public init(_ code: Code, operation: String, detail: String) {
        self.code = code
        self.operation = operation
        self.detail = detail
    }
}

extension EventBusError: CustomStringConvertible {
    /// The operation, the kind and the detail, in one line.
    public var description: String { "\(operation): \(code): \(detail)" }
}
