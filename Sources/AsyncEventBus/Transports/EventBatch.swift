import Locking

/// Events that a transport brought in together: filled one by one, emitted at once with
/// ``EventBus/emit(_:scope:)-(EventBatch,_)``, and filled again.
///
/// Costs one lock of the bus and one of each mailbox for all events, while single emits cost these for each event. The
/// owner bounds the number of events. Keeps its storage between fillings.
public struct EventBatch: Sendable {
    /// Consecutive events of one destination.
    private struct Run: Sendable {
        let destination: EventDestination
        let includesDurable: Bool
        /// The receivers when the batch is emitted.
        var receivers: Receivers?
        /// The position behind its last event.
        var end: Int

        func isHeard(as other: Run) -> Bool {
            receivers === other.receivers && includesDurable == other.includesDurable
        }

        var sinks: [any EventSink] { (includesDurable ? receivers?.sinks : receivers?.others) ?? [] }
    }

    /// The events as deliveries.
    private var deliveries: [PendingDelivery] = []
    private var runs: [Run] = []
    private var sorting = DeliverySorting()

    /// Creates an empty batch.
    public init() {}

    /// The number of events.
    public var count: Int { deliveries.count }

    /// Whether the batch has no events.
    public var isEmpty: Bool { deliveries.isEmpty }

    /// Appends an event.
    ///
    /// - Parameters:
    ///   - event: The event.
    ///   - destination: The destination of the event's name, created by the bus that emits the batch.
    ///   - includesDurable: Whether durable listeners receive the event; false if the transport offers it to them
    ///     itself.
    public mutating func append(_ event: Event, to destination: EventDestination, includesDurable: Bool = true) {
        deliveries.append(PendingDelivery(event: event.attempt(1), receipt: nil))
        let last = runs.count - 1
        if last >= 0, runs[last].destination === destination, runs[last].includesDurable == includesDurable {
            runs[last].end += 1
        } else {
            runs.append(Run(destination: destination, includesDurable: includesDurable, end: deliveries.count))
        }
    }

    /// Removes all events; keeps the storage.
    public mutating func removeAll() {
        deliveries.removeAll(keepingCapacity: true)
        runs.removeAll(keepingCapacity: true)
    }

    /// Looks up the current receivers.
    mutating func resolve(in registry: borrowing Locked<Registry>) {
        // Released outside the lock.
        var outdated: [Receivers] = []
        registry.withLock { registry in
            for position in runs.indices {
                runs[position].receivers = runs[position].destination.receivers(in: &registry, outdated: &outdated)
            }
        }
    }

    /// Offers each event to its transports, in order.
    func offerToTransports() {
        var start = 0
        for position in runs.indices {
            let (transports, end) = (runs[position].receivers?.transports ?? [], runs[position].end)
            if !transports.isEmpty {
                for delivery in deliveries[start..<end] {
                    for transport in transports { transport.take(delivery.event, receipt: nil) }
                }
            }
            start = end
        }
    }

    /// Offers each sink all of its events at once, in order.
    mutating func offerToSinks() {
        guard let first = runs.first else { return }
        guard runs.contains(where: { !$0.isHeard(as: first) }) else {
            for sink in first.sinks { sink.offer(contentsOf: deliveries) }
            return
        }
        var start = 0
        for run in runs {
            if let receivers = run.receivers {
                for position in start..<run.end {
                    sorting.add(deliveries[position], receivers, includesDurable: run.includesDurable)
                }
            }
            start = run.end
        }
        sorting.offerAll()
    }
}
