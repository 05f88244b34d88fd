import AsyncEventBus
import TestSupport

/// A transport that answers as it is told to, and remembers what it took.
final class FakeTransport: EventTransport {
    enum Answer {
        case taken, declined, full
    }

    private let state: Locked<Answer>
    private let isStoring: Bool
    /// Whether who waits for room goes on at once, whatever the answer is.
    private let findsRoom: Bool
    private let room = Locked(Gate())
    let offered = Journal<Event>()
    let taken = Journal<Event>()
    let discarded = Journal<Event>()
    let receipts = Journal<TransportReceipt>()
    let waitingForRoom = Journal<Void>()

    init(answer: Answer = .taken, isStoring: Bool = false, findsRoom: Bool = false) {
        self.isStoring = isStoring
        self.findsRoom = findsRoom
        state = Locked(answer)
    }

    func take(_ event: Event, receipt: TransportReceipt?) {
        guard offer(event, receipt) == .full else { return }
        discarded.write(event)
        receipt?.willPublish()
        receipt?.didRefuse(EventBusError(.refused, operation: "publish \"\(event.name)\"", detail: "full"))
    }

    func take(_ event: Event, receipt: TransportReceipt?, progress: inout TransportProgress) -> Bool {
        offer(event, receipt) != .full
    }

    private func offer(_ event: Event, _ receipt: TransportReceipt?) -> Answer {
        let answer = state.withLock { $0 }
        offered.write(event)
        if answer == .taken {
            receipt?.willPublish()
            if isStoring { receipt?.willStore() }
            taken.write(event)
            if let receipt { receipts.write(receipt) }
        }
        return answer
    }

    func waitForRoom(for event: Event, progress: TransportProgress) async throws {
        let gate = room.withLock { $0 }
        waitingForRoom.write(())
        if findsRoom { return }
        try await gate.passUnlessCancelled()
    }

    /// From now on answers like this; who waits for room tries again.
    func answer(_ answer: Answer) {
        state.withLock { $0 = answer }
        room.withLock { gate in
            defer { gate = Gate() }
            return gate
        }.open()
    }
}
