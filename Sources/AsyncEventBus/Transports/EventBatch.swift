import Locking

/// Events that a transport brought in together: filled one by one, emitted as one with ``EventBus/emit(_:scope:)``, and
/// filled again.
///
/// Costs a lock of the bus and one of each mailbox for all of its events, where single emits cost these for each. The
/// owner bounds how many events it holds. Keeps its storage from one filling to the next.
public struct EventBatch: Sendable {
    /// Events one after the other that the same receivers hear.
    private struct Run: Sendable {
        let destination: EventDestination
        let includesNamed: Bool
        /// As it is when the batch is emitted.
        var receivers: Receivers?
        /// The position behind its last event.
        var end: Int

        func isHeard(as other: Run) -> Bool { receivers === other.receivers && includesNamed == other.includesNamed }

        var sinks: [any EventSink] { (includesNamed ? receivers?.sinks : receivers?.unnamed) ?? [] }
    }

    /// The events, as mailboxes take them.
    private var deliveries: [PendingDelivery] = []
    private var runs: [Run] = []
    private var sorting = DeliverySorting()

    /// A batch without events.
    public init() {}

    /// How many events there are.
    public var count: Int { deliveries.count }

    /// Whether there is no event.
    public var isEmpty: Bool { deliveries.isEmpty }

    /// Adds an event behind the others.
    ///
    /// - Parameters:
    ///   - destination: Made by the bus that the batch is emitted on, for the name of the event.
    ///   - includesNamed: Whether named listeners hear it: not, if the transport offers it to them itself.
    public mutating func append(_ event: Event, to destination: EventDestination, includesNamed: Bool = true) {
        deliveries.append(PendingDelivery(event: event.attempt(1), receipt: nil))
        let last = runs.count - 1
        if last >= 0, runs[last].destination === destination, runs[last].includesNamed == includesNamed {
            runs[last].end += 1
        } else {
            runs.append(Run(destination: destination, includesNamed: includesNamed, end: deliveries.count))
        }
    }

    /// Removes all events, and keeps the storage.
    public mutating func removeAll() {
        deliveries.removeAll(keepingCapacity: true)
        runs.removeAll(keepingCapacity: true)
    }

    /// Finds out who hears the events now.
    mutating func resolve(in registry: borrowing Locked<Registry>) {
        // Let go of outside the lock.
        var outdated: [Receivers] = []
        registry.withLock { registry in
            for position in runs.indices {
                runs[position].receivers = runs[position].destination.receivers(in: &registry, outdated: &outdated)
            }
        }
    }

    /// Offers each event to the transports that want it, in order.
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

    /// Offers each mailbox its events at once, in order.
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
                    sorting.add(deliveries[position], receivers, includesNamed: run.includesNamed)
                }
            }
            start = run.end
        }
        sorting.offerAll()
    }
}
