/// The responses to one request, in the order of their arrival. Ends when the time of the request is over.
///
/// At most 1,024 responses wait to be read; further ones are discarded.
public struct Responses<Response: Sendable>: AsyncSequence, Sendable {
    /// Reads the responses.
    public struct AsyncIterator: AsyncIteratorProtocol {
        private var events: AsyncThrowingStream<Event, any Error>.Iterator
        private let value: @Sendable (Event) throws -> Response

        init(_ events: AsyncThrowingStream<Event, any Error>, _ value: @escaping @Sendable (Event) throws -> Response) {
            (self.events, self.value) = (events.makeAsyncIterator(), value)
        }

        /// Returns the next response; nil when the time is over.
        ///
        /// - Throws: ``EventBusError`` with code ``EventBusError/Code/answeredWithError`` for a response that is an error,
        ///   ``PayloadDecodingError`` for one that is no value; after these two, further calls return further responses.
        ///   `CancellationError`; and the error of a request that cannot be answered, as ``EventBus/request(_:_:within:)``.
        public mutating func next() async throws -> Response? {
            guard let event = try await events.next(isolation: #isolation) else {
                try Task.checkCancellation()
                return nil
            }
            return try value(event)
        }
    }

    let events: AsyncThrowingStream<Event, any Error>
    let value: @Sendable (Event) throws -> Response

    /// Returns an iterator. A second one shares the responses with the first.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(events, value) }
}
