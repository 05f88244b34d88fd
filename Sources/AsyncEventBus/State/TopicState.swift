import Locking

/// The latest value of each name of a topic: see ``EventBus/state(_:)``.
///
/// An event with an empty payload clears the value of its name, as an empty retained message does at a broker. An event with
/// the value that is known already changes nothing.
///
/// Values are known by the text of their captures: `p1` for the event `pump.p1.state` of the topic `pump.{id}.state`; several
/// captures are joined by dots, as they are spelled in the name.
public final class TopicState<Value: Sendable>: Sendable {
    /// A value that has changed; nil if it was cleared, or was forgotten because there are too many.
    public typealias Change = (id: String, value: Value?)

    private struct State {
        var memory = StateMemory<Value>()
        /// The readers, each with the changes that it has not read.
        var readers: [UInt64: StateReader] = [:]
        var latestReader: UInt64 = 0
    }

    /// The most names with a value, and the most bytes of their payloads; the value that changed longest ago is forgotten.
    public static var mostValues: Int { 10_000 }
    /// See ``mostValues``.
    public static var mostBytes: Int { 16 << 20 }

    private let topic: Topic<Value>
    private let report: @Sendable (BusReport) -> Void
    private let state = Locked(State())

    init(_ topic: Topic<Value>, report: @escaping @Sendable (BusReport) -> Void) {
        self.topic = topic
        self.report = report
    }

    /// The value with this text of the captures; nil if there is none.
    public subscript(id: String) -> Value? { state.withLock { $0.memory[id] }?.value }

    /// The value of a name; nil if there is none.
    public subscript(name: TopicName<Value>) -> Value? { self[topic.template.id(of: name.name)] }

    /// All values, by the text of the captures.
    public var values: [String: Value] { state.withLock { $0.memory.values } }

    /// How many values were forgotten because there were too many.
    public var forgotten: UInt64 { state.withLock { $0.memory.forgotten } }

    /// Returns the values that are there, and then each change, until the reading task is cancelled.
    ///
    /// A slow reader misses intermediate values, not the latest one of a name: at most one change waits for each name, and
    /// 20,000 in all. The order is that of the first change that waits.
    public func updates() -> StateUpdates<Value> { StateUpdates(self) }

    private func take(_ event: Event) throws(PayloadDecodingError) {
        let id = topic.template.id(of: event.name)
        guard !event.payload.isEmpty else {
            change { $0.clear(id) }
            return
        }
        let value = try topic.value(of: event)
        let size = id.utf8.count + event.payload.size
        while true {
            // Compared outside the lock, since `==` may be a user's; again if another thread was faster.
            let known = state.withLock { $0.memory[id] }
            if let known, known.payload.isSame(as: event.payload) { return }
            if change({ $0.set(id, value, payload: event.payload, size: size, over: known) }) { return }
        }
    }

    /// Makes a change and tells the readers; returns false if there was none to make.
    @discardableResult
    private func change(_ change: (inout StateMemory<Value>) -> StateMemory<Value>.Outcome?) -> Bool {
        let (outcome, readers) = state.withLock { state in
            let outcome = change(&state.memory)
            guard let changed = outcome?.changed, !changed.isEmpty else {
                return (outcome, [CheckedContinuation<Void, Never>]())
            }
            return (outcome, state.readers.keys.compactMap { state.readers[$0]?.add(changed) })
        }
        for reader in readers { reader.resume() }
        return outcome != nil
    }

    // MARK: Readers

    func addReader() -> UInt64 {
        state.withLock { state in
            state.latestReader += 1
            state.readers[state.latestReader] = StateReader(state.memory.order)
            return state.latestReader
        }
    }

    func removeReader(_ number: UInt64) {
        state.withLock { $0.readers.removeValue(forKey: number) }?.waiter?.resume()
    }

    func next(_ number: UInt64) async -> Change? {
        while !Task.isCancelled {
            let change = state.withLock { state -> Change? in
                guard let id = state.readers[number]?.next() else { return nil }
                return (id, state.memory[id]?.value)
            }
            if let change { return change }
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let isWaiting = state.withLock { state in
                        !Task.isCancelled && state.readers[number]?.wait(continuation) == true
                    }
                    if !isWaiting { continuation.resume() }
                }
            } onCancel: {
                state.withLock { $0.readers[number]?.takeWaiter() }?.resume()
            }
        }
        return nil
    }
}

/// Without a mailbox: a value is there when its emit has returned, and none is lost.
extension TopicState: EventSink {
    var asDurable: DurableMailbox? { nil }
    /// A codec runs, but no listener: immediate listeners, which come last, find the value.
    var isImmediate: Bool { false }
    var answersRequests: Bool { false }

    func offer(_ delivery: PendingDelivery) {
        delivery.receipt?.willDeliver()
        do throws(PayloadDecodingError) {
            try take(delivery.event)
            delivery.receipt?.didDeliver(error: nil)
        } catch {
            report(.failed(listener: "state", event: delivery.event, error: "\(error)", isTimeout: false))
            delivery.receipt?.didDeliver(error: error)
        }
    }

    func offer(contentsOf deliveries: [PendingDelivery]) {
        for delivery in deliveries { offer(delivery) }
    }

    func offerWhenRoom(_ delivery: PendingDelivery) { offer(delivery) }
}

/// The values of a topic and their changes: see ``TopicState/updates()``.
public struct StateUpdates<Value: Sendable>: AsyncSequence, Sendable {
    /// The text of the captures, and the value; nil if it was cleared.
    public typealias Element = TopicState<Value>.Change
    /// Reading never fails: a cancelled reader sees the end.
    public typealias Failure = Never

    private let state: TopicState<Value>

    init(_ state: TopicState<Value>) {
        self.state = state
    }

    /// Returns an iterator, which begins with the values that are there.
    public func makeAsyncIterator() -> Iterator { Iterator(state) }

    /// Reads values and their changes.
    public final class Iterator: AsyncIteratorProtocol {
        private let state: TopicState<Value>
        private let number: UInt64

        init(_ state: TopicState<Value>) {
            self.state = state
            number = state.addReader()
        }

        deinit { state.removeReader(number) }

        /// The next change, or nil at the end.
        public func next() async -> Element? { await state.next(number) }

        /// The next change, or nil at the end.
        public func next(isolation actor: isolated (any Actor)?) async -> Element? { await state.next(number) }
    }
}
