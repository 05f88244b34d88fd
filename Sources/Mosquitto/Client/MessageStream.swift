internal import DequeModule
internal import Locking

/// The messages of a client as a sequence: a delegate for consumers that do not need one of their own.
///
/// ```swift
/// let messages = MessageStream()
/// let client = try Client(brokers: [url], subscriptions: [.init("home/#")], delegate: messages, logger: logger)
/// async let running: Void = client.run()
/// for await message in messages { print(message.topic) }
/// try await running
/// ```
///
/// Messages come in the order of their arrival. Several iterators share them: each message goes to one. The sequence ends
/// when ``Client/run()`` ends, after the last message, and for an iterator whose task is cancelled.
///
/// **Back-pressure.** When `capacity` messages or `capacityBytes` bytes wait, the client stops reading (``Client/hold()``)
/// until half of them are consumed. The batch that it is reading at that time still comes: at most 256 messages, or
/// 256 KiB and one message.
///
/// **Loss.** The client acknowledges a message when it is in the stream, not when it is consumed: a crash loses the waiting
/// messages. Use a delegate of your own to store messages before they are acknowledged. A hold that lasts longer than
/// ``ClientOptions/Timeouts/hold`` parks the client; only with a ``ClientOptions/Session/expiry`` the broker keeps
/// messages meanwhile.
public final class MessageStream: ClientDelegate, AsyncSequence {
    private struct State {
        var messages = Deque<Message>()
        var bytes = 0
        /// The client that waits for room.
        var held: Client?
        var isEnded = false
        var consumers = Waiters<Void>()
    }

    private let capacity: Int
    private let capacityBytes: Int
    private let onEvent: @Sendable (ClientEvent) -> Void
    private let state = Locked(State())

    /// Creates a stream for one client.
    ///
    /// - Parameters:
    ///   - capacity: The number of waiting messages at which the client stops reading, 1 or more.
    ///   - capacityBytes: The same in bytes of topics, payloads and properties, 1 or more.
    ///   - onEvent: Called on the client's thread for each event other than a message.
    public init(
        capacity: Int = 1_000,
        capacityBytes: Int = 64 * 1024 * 1024,
        onEvent: @escaping @Sendable (ClientEvent) -> Void = { _ in }
    ) {
        precondition(capacity >= 1 && capacityBytes >= 1, "a stream holds one message or more")
        self.capacity = capacity
        self.capacityBytes = capacityBytes
        self.onEvent = onEvent
    }

    /// Consumes the messages of a stream.
    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let stream: MessageStream

        /// The next message; nil at the end of the sequence.
        public func next() async -> Message? { await stream.next() }
    }

    /// An iterator, which shares the messages with the others.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(stream: self) }

    private func next() async -> Message? {
        while true {
            let (message, isEnded) = state.withLock { state in
                let message = state.messages.popFirst()
                state.bytes -= message?.size ?? 0
                if state.messages.count <= capacity / 2, state.bytes <= capacityBytes / 2 {
                    // Under the lock, so that it does not come before the hold that it ends.
                    state.held?.resume()
                    state.held = nil
                }
                return (message, state.isEnded)
            }
            if message != nil || isEnded { return message }
            do {
                try await state.wait(for: (), in: \.consumers) { state, _ in
                    state.isEnded || !state.messages.isEmpty ? .success(()) : nil
                }
            } catch {
                return nil
            }
        }
    }

    // MARK: ClientDelegate

    /// Queues the messages, and accepts them.
    public func client(_ client: Client, received messages: consuming [Message]) -> ReceiveDecision {
        let woken = state.withLock { [messages] state in
            state.messages.append(contentsOf: messages)
            state.bytes += messages.reduce(0) { $0 + $1.size }
            if state.messages.count >= capacity || state.bytes >= capacityBytes {
                client.hold()
                state.held = client
            }
            return messages.compactMap { _ in state.consumers.removeFirst { _ in true } }
        }
        for consumer in woken { consumer.resume() }
        return .acknowledge
    }

    /// Passes the event to `onEvent`.
    public func client(_ client: Client, noticed event: ClientEvent) { onEvent(event) }

    /// Ends the sequence behind the messages that wait.
    public func clientEnded(_ client: Client) {
        let consumers = state.withLock { state in
            state.isEnded = true
            state.held = nil
            return state.consumers.removeAll { _ in true }
        }
        for consumer in consumers { consumer.resume() }
    }
}
