/// What can go wrong on a bus. Says what was tried and why it failed; never holds a payload.
public struct EventBusError: Error, Sendable, Hashable {
    /// The kind of failure. More may come: switch with a default.
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
        /// No transport is attached that has a route for the event.
        public static let notRelayed = Code(kind: .notRelayed)
        /// No transport is attached that keeps the event on disk.
        public static let notStored = Code(kind: .notStored)
        /// The process ends, and a transport has the event on disk: the next process delivers it. Nothing is lost.
        public static let postponed = Code(kind: .postponed)
        /// A transport took the event and could not deliver it.
        public static let refused = Code(kind: .refused)

        /// The kind in words.
        public var description: String { kind.rawValue }
    }

    /// The kind of failure.
    public let code: Code
    /// What was tried, with its values.
    public let operation: String
    /// Why it failed and what to do.
    public let detail: String

    /// An error.
    public init(_ code: Code, operation: String, detail: String) {
        self.code = code
        self.operation = operation
        self.detail = detail
    }
}

extension EventBusError: CustomStringConvertible {
    /// One line for people.
    public var description: String { "\(operation): \(code): \(detail)" }
}
