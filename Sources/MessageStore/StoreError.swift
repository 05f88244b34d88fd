/// What can go wrong with a store: what was tried, why it failed, what to do. Never holds a payload.
public struct StoreError: Error, Sendable, Hashable {
    /// The kind of failure. More may come: switch with a default.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Kind: String {
            case full = "no space left"
            case io = "input/output error"
            case readOnly = "read-only"
            case notPermitted = "not permitted"
            case inUse = "in use by another process"
            case damaged = "damaged"
            case newer = "written by a newer version"
            case missing = "not found"
            case busy = "busy"
            case other = "failed"
        }

        private let kind: Kind

        /// The medium is full.
        public static let full = Code(kind: .full)
        /// The medium fails.
        public static let io = Code(kind: .io)
        /// The medium cannot be written.
        public static let readOnly = Code(kind: .readOnly)
        /// The file or folder may not be used.
        public static let notPermitted = Code(kind: .notPermitted)
        /// Another process uses the store.
        public static let inUse = Code(kind: .inUse)
        /// What is there is no store, or a damaged one.
        public static let damaged = Code(kind: .damaged)
        /// A newer version of this program wrote it.
        public static let newer = Code(kind: .newer)
        /// There is no store.
        public static let missing = Code(kind: .missing)
        /// Another process writes just now, and went on for too long.
        public static let busy = Code(kind: .busy)
        /// Anything else.
        public static let other = Code(kind: .other)

        /// The kind in words.
        public var description: String { kind.rawValue }
    }

    /// The kind of failure.
    public let code: Code
    /// What was tried, with its values.
    public let operation: String
    /// Why it failed; may be empty.
    public let detail: String
    /// What to do about it; may be empty.
    public let advice: String

    /// An error.
    public init(_ code: Code, operation: String, detail: String = "", advice: String = "") {
        self.code = code
        self.operation = operation
        self.detail = detail
        self.advice = advice
    }

    /// Whether the same may succeed later, when something outside has changed.
    public var isRetriable: Bool { [.full, .io, .readOnly, .busy, .other].contains(code) }
}

extension StoreError: CustomStringConvertible {
    /// One line for people.
    public var description: String {
        var text = "\(operation): \(code)"
        if !detail.isEmpty { text += ": \(detail)" }
        return advice.isEmpty ? text : "\(text). \(advice)"
    }
}
