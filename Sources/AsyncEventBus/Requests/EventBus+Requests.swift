extension EventBus {
    /// Makes a request, and returns the first response.
    ///
    /// ```swift
    /// let state = try await bus.request(Site.askPump(id: "p1"), Query(), within: .seconds(2))
    /// ```
    ///
    /// The request is an event with a ``EventAttributes/correlation`` and a ``EventAttributes/replyTo``: the name
    /// ``answersName``, to which every response is emitted. It expires with the time limit. If the task is cancelled, or the
    /// time is over, a call in this process that answers it is cancelled as well; one in another process is not.
    ///
    /// - Throws: ``EventBusError`` with code ``EventBusError/Code/noListeners`` if no listener on this bus answers such
    ///   requests and no transport takes the event, or the other side of each says that nobody there receives it;
    ///   ``EventBusError/Code/timedOut``, or ``EventBusError/Code/answeredWithError`` with the text of the error in
    ///   ``EventBusError/detail``; the error of the transports if all of them refuse the event;
    ///   ``PayloadDecodingError`` if the response is no value; what ``emit(_:_:attributes:scope:)-(Address,_,_,_)`` throws;
    ///   `CancellationError`.
    public func request<Address: RequestAddress>(
        _ address: Address,
        _ request: Address.Request,
        within limit: Duration
    ) async throws -> Address.Response {
        try await withResponses(to: address, request, within: limit) { responses in
            for try await response in responses { return response }
            throw EventBusError(
                .timedOut,
                operation: "request \(try address.requestName())",
                detail: "no response within \(limit)"
            )
        }
    }

    /// Makes a request, and passes all its responses to `body`, until `body` returns or the time is over.
    ///
    /// For requests that several listeners answer, in this process or behind a transport.
    ///
    /// - Parameters:
    ///   - address: The name of the request.
    ///   - request: The value that listeners get.
    ///   - limit: The time from the call on.
    ///   - body: The sequence that it gets ends with the time limit.
    /// - Throws: As ``request(_:_:within:)``, but for the time limit; and what `body` throws.
    public func withResponses<Address: RequestAddress, Result>(
        to address: Address,
        _ request: Address.Request,
        within limit: Duration,
        body: (Responses<Address.Response>) async throws -> Result
    ) async throws -> Result {
        let (name, topic) = (try address.requestName(), address.topic)
        let receivers = receivers(for: name)
        let isAnsweredHere = receivers.sinks.contains(where: \.answersRequests)
        guard isAnsweredHere || !receivers.transports.isEmpty else {
            throw Self.noListeners(name, "no listener answers it, and no route publishes it")
        }
        add(requests.listener, to: EventPattern(answersName))
        let (correlation, events) = requests.begin(source: source)
        defer { requests.end(correlation) }
        return try await withTaskCancellationHandler {
            let receipt = try tracked.emit(
                TopicName(topic: topic.requests, name: name),
                request,
                attributes: EventAttributes(
                    timeToLive: limit,
                    correlation: Array(correlation.utf8),
                    replyTo: answersName.text
                )
            )
            if !isAnsweredHere { endUnheard(correlation, name, receipt) }
            // Owned by this call, which cancels it.
            let timer = Task { [clock, requests] in
                guard (try? await clock.sleep(for: limit)) != nil else { return }
                requests.end(correlation)
                requests.cancel(correlation)
            }
            defer { timer.cancel() }
            return try await body(
                Responses(events: events) { event in
                    if let error = event.attributes[header: PendingRequests.errorHeader] {
                        throw EventBusError(.answeredWithError, operation: "request \(name)", detail: error)
                    }
                    return try topic.responses.value(of: event)
                }
            )
        } onCancel: { [requests] in
            requests.cancel(correlation)
        }
    }

    /// Ends a request that nobody behind the transports can answer, as soon as they know.
    private func endUnheard(_ correlation: String, _ name: EventName, _ receipt: Receipt) {
        receipt.whenPublished { [requests] result in
            let summary = receipt.summary
            guard summary.unheard + summary.refused == summary.relayed else { return }
            let detail = summary.relayed == 0 ? "no route publishes it" : "nobody receives it at the other side"
            var error: any Error = Self.noListeners(name, detail)
            if summary.refused > 0, case .failure(let refusal) = result { error = refusal }
            requests.end(correlation, throwing: error)
        }
    }

    private static func noListeners(_ name: EventName, _ detail: String) -> EventBusError {
        EventBusError(.noListeners, operation: "request \(name)", detail: detail)
    }

    /// The name to which responses to the requests of this bus are emitted: `answers.` and ``source``.
    ///
    /// For requests across a broker, a route maps it both ways: `Route("answers/{bus}", "answers.{bus}")`.
    public var answersName: EventName { "answers.\(source)" }

    /// Creates a listener that answers the requests of a topic, adds it, and returns it for a later removal.
    ///
    /// ```swift
    /// bus.answer(Site.askPump) { query, event in try await pump(event.id).state(query) }
    /// ```
    ///
    /// An error that `body` throws is the response: its text reaches whoever asked. A request that cannot be decoded gets an
    /// error as well. So the listener does not fail, and a ``ListenerOption/retry(_:)`` has no effect.
    ///
    /// If a request arrives again with the same correlation and the same name for responses, `body` is not called again:
    /// the listener repeats its response, or ignores the request while the first call runs. It remembers 1,024 responses,
    /// 1 MiB in all.
    ///
    /// - Parameters:
    ///   - topic: The requests.
    ///   - name: For reports. Without a name, reports show the pattern.
    ///   - delivery: Whether calls run one at a time, one at a time for each key, or at the same time.
    ///   - options: Its capacity, time limit, retries and functions around it.
    ///   - body: Returns the response.
    @discardableResult
    public func answer<Request, Response>(
        _ topic: RequestTopic<Request, Response>,
        name: String? = nil,
        delivery: DeliveryMode = .concurrent(limit: 64),
        _ options: ListenerOption...,
        body: @escaping @Sendable (Request, TopicEvent) async throws -> Response
    ) -> Listener {
        let pattern = topic.requests.template.pattern
        let answering = Answering(topic: topic, body: body)
        let listener = Listener(
            name ?? pattern.text,
            isDurable: false,
            answersRequests: true,
            delivery: delivery.resolved(topic.requests.template),
            options: options
        ) { [weak self] event in
            if let self { try await answering.answer(event, on: self) }
        }
        add(listener, to: pattern)
        return listener
    }
}
