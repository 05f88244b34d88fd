/// An error of the bus: the attempted operation and the reason of its failure. Never contains a payload.
public struct EventBusError: Error, Sendable, Hashable {
    /// The kind of failure. Later versions may add kinds: switch with a default.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Kind: String {
            case invalidName = "invalid name"
            case invalidPattern = "invalid pattern"
            case nameTaken = "name taken"
            case wrongCapture = "wrong capture"
            case noCodec = "no codec"
            case noListeners = "no listeners"
            case timedOut = "timed out"
            case answeredWithError = "answered with an error"
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
        /// The bus has another durable listener of this name.
        public static let nameTaken = Code(kind: .nameTaken)
        /// A topic has no such capture, its text is no such value, or a capture was given no value.
        public static let wrongCapture = Code(kind: .wrongCapture)
        /// A topic was declared without a codec, and a value has to become bytes, or bytes a value.
        public static let noCodec = Code(kind: .noCodec)
        /// Nobody can answer a request: no listener of this bus, and no transport takes it.
        public static let noListeners = Code(kind: .noListeners)
        /// No response to a request arrived in time.
        public static let timedOut = Code(kind: .timedOut)
        /// The response to a request is an error.
        public static let answeredWithError = Code(kind: .answeredWithError)
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

extension EventBusError: PermanentError {
    /// Whether the code is ``Code/wrongCapture`` or ``Code/noCodec``: mistakes in the program, or in the name of an event.
    public var isPermanent: Bool { code == .wrongCapture || code == .noCodec }
}

extension EventBusError: CustomStringConvertible {
    /// The operation, the kind and the detail, in one line.
    public var description: String { "\(operation): \(code): \(detail)" }
}
