/// A declaration of requests: their names, with captures, and the types of a request and of a response.
///
/// ```swift
/// static let askPump = RequestTopic<Query, PumpState>("pump.{id}.ask")
/// ```
///
/// It is a ``Topic`` of requests to which listeners answer; see ``EventBus/request(_:_:within:)`` and
/// ``EventBus/answer(_:name:delivery:_:body:)``.
@dynamicCallable
public struct RequestTopic<Request: Sendable, Response: Sendable>: Sendable {
    /// The topic of the requests.
    public let requests: Topic<Request>
    /// Encodes and decodes responses; its template stands for every name.
    let responses: Topic<Response>

    /// Declares a topic without codecs: its requests stay in the process.
    public init(_ template: EventTemplate) {
        requests = Topic(template)
        responses = Topic("{name...}")
    }

    /// Declares a topic with a codec for requests and one for responses.
    public init(
        _ template: EventTemplate,
        request: PayloadCodec<Request>,
        response: PayloadCodec<Response>
    ) {
        requests = Topic(template, request)
        responses = Topic("{name...}", response)
    }

    /// Returns the name of a request with these values for the captures, as
    /// ``Topic/dynamicallyCall(withKeywordArguments:)`` does.
    ///
    /// - Throws: ``EventBusError`` with code ``EventBusError/Code/wrongCapture``.
    public func dynamicallyCall(
        withKeywordArguments values: KeyValuePairs<String, any LosslessStringConvertible>
    ) throws(EventBusError) -> RequestName<Request, Response> {
        RequestName(topic: self, name: try requests.template.name(with: values))
    }
}

/// The name of requests, with values for its captures: `Site.askPump(id: "p1")`.
public struct RequestName<Request: Sendable, Response: Sendable>: Sendable {
    /// The topic.
    public let topic: RequestTopic<Request, Response>
    /// The name.
    public let name: EventName

    init(topic: RequestTopic<Request, Response>, name: EventName) {
        (self.topic, self.name) = (topic, name)
    }
}

/// What a request can be made to: a name of a topic, or a topic without captures.
public protocol RequestAddress<Request, Response>: Sendable {
    /// The type of a request.
    associatedtype Request: Sendable
    /// The type of a response.
    associatedtype Response: Sendable

    /// The topic.
    var topic: RequestTopic<Request, Response> { get }

    /// Returns the name of the request.
    ///
    /// - Throws: ``EventBusError`` with code ``EventBusError/Code/wrongCapture`` if a capture has no value.
    func requestName() throws(EventBusError) -> EventName
}

extension RequestName: RequestAddress {
    /// Returns the name.
    public func requestName() -> EventName { name }
}

extension RequestTopic: RequestAddress {
    /// The topic itself.
    public var topic: RequestTopic { self }

    /// Returns the only name of a topic without captures.
    public func requestName() throws(EventBusError) -> EventName { try requests.eventName() }
}
