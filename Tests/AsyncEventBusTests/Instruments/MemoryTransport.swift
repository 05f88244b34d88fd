import AsyncEventBus
import TestSupport

/// A link between two buses in memory, written against the public interface only, as a transport to a broker would be.
///
/// An event crosses when ``transfer()`` is called. Its publication is acknowledged when all durable listeners of the other
/// bus have dealt with it.
final class MemoryTransport: EventTransport {
    /// Where an event came from that crossed the link.
    final class Details: TransportDetails {
        let link: String

        init(link: String) {
            self.link = link
        }
    }

    private struct State {
        var queue: [(event: Event, receipt: TransportReceipt?)] = []
        /// Opens when there is room.
        var room = Gate()
        var destinations: [EventName: EventDestination] = [:]
    }

    private let other: EventBus
    private let link: String
    private let capacity: Int
    private let details: Details
    private let isStopped = Locked(false)
    private let state = Locked(State())

    /// - Parameter link: Names the link, the same at both ends.
    init(to other: EventBus, link: String, capacity: Int = 8) {
        self.other = other
        self.link = link
        self.capacity = capacity
        details = Details(link: link)
    }

    // MARK: Out of this bus

    func take(_ event: Event, receipt: TransportReceipt?) {
        var progress = TransportProgress()
        guard !take(event, receipt: receipt, progress: &progress) else { return }
        receipt?.willPublish()
        receipt?.didRefuse(EventBusError(.refused, operation: "publish \"\(event.name)\"", detail: "the queue is full"))
    }

    func take(_ event: Event, receipt: TransportReceipt?, progress: inout TransportProgress) -> Bool {
        // It is not sent back by the link that it came from.
        if event.origin.transport?.link == link { return true }
        let isTaken = state.withLock { state in
            guard state.queue.count < capacity else { return false }
            state.queue.append((event, receipt))
            return true
        }
        if isTaken { receipt?.willPublish() }
        return isTaken
    }

    func waitForRoom(for event: Event, progress: TransportProgress) async throws {
        let room = state.withLock { $0.queue.count < capacity ? nil : $0.room }
        try await room?.passUnlessCancelled()
    }

    // MARK: Into the other bus

    /// Lets all events cross that wait. To be called by one thread at a time.
    func transfer() {
        let (queue, room) = state.withLock { state in
            defer { (state.queue, state.room) = ([], Gate()) }
            return (state.queue, state.room)
        }
        room.open()
        var batch = EventBatch()
        for (event, receipt) in queue {
            let arrived = Event(
                id: event.id,
                name: event.name,
                payload: event.payload,
                time: event.time,
                origin: EventOrigin(bus: event.origin.bus, transport: details, hops: event.origin.hops + 1),
                attributes: event.attributes
            )
            let destination = destination(for: event.name)
            let (named, hasOthers) = other.receivers(at: destination)
            if hasOthers { batch.append(arrived, to: destination, includesDurable: false) }
            guard !named.isEmpty else {
                receipt?.didPublish()
                continue
            }
            let acknowledgement = Acknowledgement(of: named.count, owner: self, receipt: receipt)
            for mailbox in named { mailbox.offer(arrived, attempt: 1, tracker: acknowledgement) }
        }
        other.emit(&batch)
    }

    private func destination(for name: EventName) -> EventDestination {
        state.withLock { state in
            if let known = state.destinations[name] { return known }
            let destination = other.destination(for: name)
            state.destinations[name] = destination
            return destination
        }
    }

    /// Takes back what no listener has begun with.
    func stop() {
        isStopped.withLock { $0 = true }
        for mailbox in other.durableMailboxes() { mailbox.withdraw(from: self) }
    }

    /// Acknowledges an event when all of its durable listeners have dealt with it.
    private final class Acknowledgement: DeliveryTracker {
        private struct State {
            var missing: Int
            var isRemoved = false
        }

        private let transport: MemoryTransport
        private let receipt: TransportReceipt?
        private let state: Locked<State>

        let marksStart = false
        let uncounted = 0
        var owner: AnyObject { transport }
        var isWithdrawn: Bool { transport.isStopped.withLock { $0 } }

        init(of count: Int, owner: MemoryTransport, receipt: TransportReceipt?) {
            transport = owner
            self.receipt = receipt
            state = Locked(State(missing: count))
        }

        func willRun(attempt: Int) async {}

        func attemptFailed(_ attempt: Int, error: String) {}

        func ended(_ outcome: DeliveryOutcome) {
            let (isLast, isRemoved) = state.withLock { state in
                if case .removed = outcome { state.isRemoved = true }
                state.missing -= 1
                return (state.missing == 0, state.isRemoved)
            }
            guard isLast else { return }
            if isRemoved { receipt?.didPostpone() } else { receipt?.didPublish() }
        }
    }
}
