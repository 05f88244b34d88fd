import Locking

/// Answers requests on behalf of one listener.
struct Answering<Request: Sendable, Response: Sendable>: Sendable {
    let topic: RequestTopic<Request, Response>
    let body: @Sendable (Request, TopicEvent) async throws -> Response
    private let memory = Locked(AnswerMemory())

    /// The most characters of an error that is sent as a response.
    private static var longestError: Int { 1_000 }

    init(
        topic: RequestTopic<Request, Response>,
        body: @escaping @Sendable (Request, TopicEvent) async throws -> Response
    ) {
        self.topic = topic
        self.body = body
    }

    /// - Throws: ``EventBusError`` if the name for responses is none; what `body` throws if nobody waits for a response.
    func answer(_ event: Event, on bus: EventBus) async throws {
        guard let replyTo = event.attributes.replyTo else {
            _ = try await body(topic.requests.value(of: event), TopicEvent(event, topic.requests.template))
            return
        }
        let name = try EventName(replyTo)
        guard let correlation = event.attributes.correlation else {
            bus.dispatch(await response(to: event, name, on: bus))
            return
        }
        let key = AnswerMemory.Key(replyTo: ExactText(replyTo), correlation: correlation)
        switch memory.withLock({ $0.find(key) }) {
        case .running: return
        case .answered(let answer): bus.emit(name, answer.payload, attributes: answer.attributes)
        case .new:
            let response = await response(to: event, name, on: bus)
            let answer = AnswerMemory.Answer(payload: response.event.payload, attributes: response.event.attributes)
            memory.withLock { $0.answered(key, answer) }
            bus.dispatch(response)
        }
    }

    private func response(to event: Event, _ name: EventName, on bus: EventBus) async -> (event: Event, Receivers) {
        var attributes = EventAttributes(correlation: event.attributes.correlation)
        do {
            let value = try await call(event, on: bus)
            return try bus.makeEvent(TopicName(topic: topic.responses, name: name), value, attributes, .everywhere)
        } catch {
            attributes.headers = [.init(PendingRequests.errorHeader, String("\(error)".prefix(Self.longestError)))]
            return (bus.makeEvent(name, .empty, attributes), bus.receivers(for: name))
        }
    }

    /// Calls `body`, and cancels the call if a request of this bus no longer waits for it.
    private func call(_ event: Event, on bus: EventBus) async throws -> Response {
        let request = try topic.requests.value(of: event)
        // Owned by this call, which awaits it.
        let call = Task { [body, topic] in try await body(request, TopicEvent(event, topic.requests.template)) }
        let correlation = event.attributes.correlation.map { String(decoding: $0, as: UTF8.self) } ?? ""
        let number = bus.requests.answers(correlation) { call.cancel() }
        defer { if let number { bus.requests.ended(correlation, number) } }
        return try await withTaskCancellationHandler {
            try await call.value
        } onCancel: {
            call.cancel()
        }
    }
}

extension EventBus {
    fileprivate func dispatch(_ response: (event: Event, receivers: Receivers)) {
        dispatch(response.event, to: response.receivers, scope: .everywhere, receipt: nil)
    }
}
