/// What an event may carry beside its payload. All of it is optional.
public struct EventAttributes: Sendable, Hashable {
    /// A header: names may repeat, and order is kept.
    public struct Header: Sendable, Hashable {
        /// The name.
        public var name: String
        /// The value.
        public var value: String

        /// A header.
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    private struct Fields: Sendable, Hashable {
        var contentType: String?
        var headers: [Header] = []
        var timeToLive: Duration?
        var correlation: [UInt8]?
        var replyTo: String?
        var isText = false
    }

    /// Most events carry nothing: for them this costs one word.
    private final class Storage: Sendable {
        let fields: Fields
        let size: Int

        init(_ fields: Fields) {
            self.fields = fields
            var size = (fields.contentType?.utf8.count ?? 0) + (fields.replyTo?.utf8.count ?? 0)
            size += fields.correlation?.count ?? 0
            for header in fields.headers { size += header.name.utf8.count + header.value.utf8.count }
            self.size = size
        }
    }

    private var storage: Storage?

    /// How many bytes of text and other data are carried.
    var size: Int { storage?.size ?? 0 }

    private var fields: Fields {
        get { storage?.fields ?? Fields() }
        set { storage = newValue == Fields() ? nil : Storage(newValue) }
    }

    /// The media type of the payload.
    public var contentType: String? {
        get { storage?.fields.contentType }
        set { fields.contentType = newValue }
    }

    /// Names and values of the user's own, in order.
    public var headers: [Header] {
        get { storage?.fields.headers ?? [] }
        set { fields.headers = newValue }
    }

    /// How long after its time the event is worth delivering.
    public var timeToLive: Duration? {
        get { storage?.fields.timeToLive }
        set { fields.timeToLive = newValue }
    }

    /// What a reply must carry so that the asker knows it.
    public var correlation: [UInt8]? {
        get { storage?.fields.correlation }
        set { fields.correlation = newValue }
    }

    /// Where a reply is awaited, in the terms of the transport.
    public var replyTo: String? {
        get { storage?.fields.replyTo }
        set { fields.replyTo = newValue }
    }

    /// Whether the payload is known to be text in UTF-8; false where nobody has said so.
    public var isText: Bool {
        get { storage?.fields.isText ?? false }
        set { fields.isText = newValue }
    }

    /// No attributes.
    public init() {}

    /// Attributes; those not given are absent.
    public init(
        contentType: String? = nil,
        headers: [Header] = [],
        timeToLive: Duration? = nil,
        correlation: [UInt8]? = nil,
        replyTo: String? = nil,
        isText: Bool = false
    ) {
        let isEmpty =
            contentType == nil && headers.isEmpty && timeToLive == nil && correlation == nil && replyTo == nil
            && !isText
        guard !isEmpty else { return }
        storage = Storage(
            Fields(
                contentType: contentType,
                headers: headers,
                timeToLive: timeToLive,
                correlation: correlation,
                replyTo: replyTo,
                isText: isText
            )
        )
    }

    /// The value of the first header of that name.
    public subscript(header name: String) -> String? {
        headers.first { $0.name == name }?.value
    }

    /// Compares what is carried.
    public static func == (left: EventAttributes, right: EventAttributes) -> Bool {
        left.storage === right.storage || left.fields == right.fields
    }

    /// Hashes what is carried.
    public func hash(into hasher: inout Hasher) { hasher.combine(fields) }
}
