/// The optional metadata of an event.
public struct EventAttributes: Sendable, Hashable {
    /// A header. Names may repeat, and order is kept.
    public struct Header: Sendable, Hashable {
        /// The name.
        public var name: String
        /// The value.
        public var value: String

        /// Creates a header.
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

    /// Most events have no attributes: for them this costs one word.
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

    /// The bytes of text and other data.
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

    /// User-defined headers, in order.
    public var headers: [Header] {
        get { storage?.fields.headers ?? [] }
        set { fields.headers = newValue }
    }

    /// The time after ``Event/time`` in which the event is worth delivering.
    public var timeToLive: Duration? {
        get { storage?.fields.timeToLive }
        set { fields.timeToLive = newValue }
    }

    /// The bytes that a response must carry so that whoever asked can match it.
    public var correlation: [UInt8]? {
        get { storage?.fields.correlation }
        set { fields.correlation = newValue }
    }

    /// The name to which a response to this event is to be emitted; see ``EventBus/answer(_:name:delivery:_:body:)``. A
    /// transport maps it to an address of its own, and back.
    public var replyTo: String? {
        get { storage?.fields.replyTo }
        set { fields.replyTo = newValue }
    }

    /// Whether the payload is known to be UTF-8 text; false if unknown.
    public var isText: Bool {
        get { storage?.fields.isText ?? false }
        set { fields.isText = newValue }
    }

    /// Creates empty attributes.
    public init() {}

    /// Creates attributes; omitted ones are absent.
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

    /// The value of the first header with this name.
    public subscript(header name: String) -> String? {
        headers.first { $0.name == name }?.value
    }

    /// Compares all attributes.
    public static func == (left: EventAttributes, right: EventAttributes) -> Bool {
        left.storage === right.storage || left.fields == right.fields
    }

    /// Hashes all attributes.
    public func hash(into hasher: inout Hasher) { hasher.combine(fields) }
}
