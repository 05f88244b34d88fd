import Locking

/// The requests of one bus that wait for responses, and the calls that answer requests.
final class PendingRequests: Sendable {
    private struct State {
        var latestNumber: UInt64 = 0
        /// By correlation.
        var waiting: [String: AsyncThrowingStream<Event, any Error>.Continuation] = [:]
        /// By correlation: cancels the calls that answer a request of this bus.
        var answering: [String: [UInt64: @Sendable () -> Void]] = [:]
    }

    /// The most responses that wait to be read for one request; later ones are discarded.
    static let mostResponses = 1_024

    /// The header of a response that is an error, with its text.
    static let errorHeader = "error"

    /// Hears the responses.
    let listener: Listener

    private let state: Locked<State>

    init() {
        let state = Locked(State())
        self.state = state
        listener = Listener("answers", .immediate()) { event in Self.respond(event, state) }
    }

    /// Whether no request waits, and no call answers one.
    var isEmpty: Bool { state.withLock { $0.waiting.isEmpty && $0.answering.isEmpty } }

    /// Registers a request. Its correlation is plain text, so that scripts can pass it on.
    ///
    /// - Returns: The correlation, and the responses to come.
    func begin(source: String) -> (correlation: String, responses: AsyncThrowingStream<Event, any Error>) {
        let (responses, continuation) = AsyncThrowingStream<Event, any Error>.makeStream(
            bufferingPolicy: .bufferingOldest(Self.mostResponses)
        )
        return state.withLock { state in
            state.latestNumber += 1
            let correlation = "\(source)-\(state.latestNumber)"
            state.waiting[correlation] = continuation
            return (correlation, responses)
        }
    }

    /// Passes a response on to its request. A response that no request waits for is discarded.
    private static func respond(_ event: Event, _ state: Locked<State>) {
        guard let correlation = event.attributes.correlation.map({ String(decoding: $0, as: UTF8.self) }) else {
            return
        }
        state.withLock { $0.waiting[correlation] }?.yield(event)
    }

    /// Ends the wait for further responses.
    ///
    /// - Parameter error: The reason why there will be none; nil if the time is over, or enough have come.
    func end(_ correlation: String, throwing error: (any Error)? = nil) {
        state.withLock { $0.waiting.removeValue(forKey: correlation) }?.finish(throwing: error)
    }

    /// Cancels the calls in this process that answer a request.
    func cancel(_ correlation: String) {
        for cancel in state.withLock({ $0.answering[correlation] })?.values.map(\.self) ?? [] { cancel() }
    }

    /// Registers a call that answers a request, if a request of this bus waits for it.
    ///
    /// - Returns: The number for ``ended(_:_:)``.
    func answers(_ correlation: String, cancel: @escaping @Sendable () -> Void) -> UInt64? {
        state.withLock { state in
            guard state.waiting[correlation] != nil else { return nil }
            state.latestNumber += 1
            state.answering[correlation, default: [:]][state.latestNumber] = cancel
            return state.latestNumber
        }
    }

    func ended(_ correlation: String, _ number: UInt64) {
        state.withLock { state in
            state.answering[correlation]?[number] = nil
            if state.answering[correlation]?.isEmpty == true { state.answering[correlation] = nil }
        }
    }
}
