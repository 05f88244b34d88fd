/// A failure of a store: the operation, the cause, and advice. Never contains a payload.
public struct StoreError: Error, Sendable, Hashable {
    /// The kind of failure. Later versions may add kinds, so a switch needs a default.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Kind: String {
            case full = "no space left"
            case io = "input/output error"
            case readOnly = "read-only"
            case notPermitted = "not permitted"
            case inUse = "in use by another process"
            case damaged = "damaged"
            case foreign = "not a store"
            case newer = "written by a newer version"
            case missing = "not found"
            case exists = "exists already"
            case busy = "busy"
            case other = "failed"
        }

        private let kind: Kind

        /// The medium is full.
        public static let full = Code(kind: .full)
        /// The medium reported an input/output error.
        public static let io = Code(kind: .io)
        /// The medium cannot be written.
        public static let readOnly = Code(kind: .readOnly)
        /// The file or folder does not permit the access.
        public static let notPermitted = Code(kind: .notPermitted)
        /// Another process uses the store.
        public static let inUse = Code(kind: .inUse)
        /// The store is damaged.
        public static let damaged = Code(kind: .damaged)
        /// The file is not a store.
        public static let foreign = Code(kind: .foreign)
        /// A newer version of this program wrote it.
        public static let newer = Code(kind: .newer)
        /// There is no store at this place.
        public static let missing = Code(kind: .missing)
        /// The file to create exists already.
        public static let exists = Code(kind: .exists)
        /// Another process held the write lock for too long.
        public static let busy = Code(kind: .busy)
        /// Any other failure.
        public static let other = Code(kind: .other)

        /// The kind as text.
        public var description: String { kind.rawValue }
    }

    /// The kind of failure.
    public let code: Code
    /// The operation that failed, with its values.
    public let operation: String
    /// The cause; may be empty.
    public let detail: String
    /// Advice for the user; may be empty.
    public let advice: String
    /// The damaged message, if the rest of the store is sound. ``MessageStore/remains(of:)`` returns its legible
    /// fields, and a commit that removes it leaves a sound store.
    public let row: StoreRow?

    /// Creates an error.
    public init(_ code: Code, operation: String, detail: String = "", advice: String = "", row: StoreRow? = nil) {
        self.code = code
        self.operation = operation
        self.detail = detail
        self.advice = advice
        self.row = row
    }

    /// Whether the same call may succeed later, after a change outside the process.
    public var isRetriable: Bool { [.full, .io, .readOnly, .busy, .other].contains(code) }
}

/// Identifies a message in a store.
public struct StoreRow: Sendable, Hashable {
    /// The direction of the message.
    public var direction: DeadLetter.Direction
    /// The sequence of the message.
    public var sequence: Int64

    /// Creates a reference to a message.
    public init(_ direction: DeadLetter.Direction, _ sequence: Int64) {
        self.direction = direction
        self.sequence = sequence
    }
}

extension StoreError: CustomStringConvertible {
    /// One line: `OPERATION: KIND: DETAIL. ADVICE`, without empty parts.
    public var description: String {
        var text = "\(operation): \(code)"
        if !detail.isEmpty { text += ": \(detail)" }
        return advice.isEmpty ? text : "\(text). \(advice)"
    }
}
