import AsyncEventBus
import TestSupport

/// A transport that answers as it is told to, and remembers what it took.
final class FakeRelay: EventRelay {
    private let state: Locked<RelayAnswer>
    private let isStoring: Bool
    private let room = Locked(Gate())
    let offered = Journal<Event>()
    let taken = Journal<Event>()
    let discarded = Journal<Event>()
    let receipts = Journal<Receipt>()
    let waitingForRoom = Journal<Void>()

    init(answer: RelayAnswer = .taken, isStoring: Bool = false) {
        self.isStoring = isStoring
        state = Locked(answer)
    }

    func take(_ event: Event, receipt: Receipt?) -> RelayAnswer {
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

    func discarded(_ event: Event) { discarded.write(event) }

    func waitForRoom(for event: Event) async throws {
        let gate = room.withLock { $0 }
        waitingForRoom.write(())
        try await gate.passUnlessCancelled()
    }

    /// From now on answers like this; who waits for room tries again.
    func answer(_ answer: RelayAnswer) {
        state.withLock { $0 = answer }
        room.withLock { gate in
            defer { gate = Gate() }
            return gate
        }.open()
    }
}
