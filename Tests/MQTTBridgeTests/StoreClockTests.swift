import AsyncEventBus
import MessageStore
import TestSupport
import Testing

@testable import MQTTBridge

@Suite("Store clock")
struct StoreClockTests {
    @Test("within one boot every process of a store is on the same line, whatever the wall clock says by then")
    func sameLine() throws {
        let store = MemoryStore()
        let first = try StoreClock(store)
        // As if the clock of the machine were set: what was kept counts.
        let (before, second, after) = (first.now, try StoreClock(store).now, first.now)
        #expect(before <= second && second <= after)
        #expect(abs(first.now - Timestamp.now.nanoseconds) < 60_000_000_000)
    }

    @Test("the line of a store goes on where it was begun, not at the wall clock")
    func kept() throws {
        let store = BackwardStore()
        let clock = try StoreClock(store)
        #expect(abs(Timestamp.now.nanoseconds - clock.now - BackwardStore.shift) < 60_000_000_000)
        #expect(store.name.withLock { $0 }.hasPrefix("clock of boot "))
    }

    @Test("a duration that is too long is cut, not an overflow")
    func nanoseconds() {
        #expect(Duration.seconds(2).nanoseconds == 2_000_000_000)
        #expect(Duration.nanoseconds(-5).nanoseconds == -5)
        #expect(Duration.seconds(Int64.max).nanoseconds == .max / 2)
        #expect(Duration.seconds(Int64.min).nanoseconds == .min / 2)
    }
}

/// A store that was begun when the wall clock was a day behind.
private final class BackwardStore: MessageStore {
    static let shift: Int64 = 86_400_000_000_000

    let name = Locked("")

    func text(named name: String, initial: String) throws(StoreError) -> String {
        self.name.withLock { $0 = name }
        return Int64(initial).map { String($0 - Self.shift) } ?? initial
    }

    private func unused() -> StoreError { StoreError(.other, operation: "not part of this test") }
    func recover() throws(StoreError) -> StoreInventory { throw unused() }
    func commit(_ batch: StoreBatch) throws(StoreError) -> [StoreRemoval] { throw unused() }
    func inbound(after sequence: Int64, limit: Int, bytes: Int) throws(StoreError) -> [InboundEntry] { throw unused() }
    func outbound(to broker: String, after sequence: Int64, limit: Int, bytes: Int) throws(StoreError)
        -> [OutboundRecord]
    {
        throw unused()
    }
    func outboundTopics(to broker: String, limit: Int) throws(StoreError) -> [String] { throw unused() }
    func deadLetters(_ filter: DeadLetterFilter, limit: Int) throws(StoreError) -> [DeadLetter] { throw unused() }
    func requestReplay(of filter: DeadLetterFilter) throws(StoreError) -> Int { throw unused() }
    func dropDeadLetters(_ filter: DeadLetterFilter) throws(StoreError) -> Int { throw unused() }
    func setText(_ text: String, named name: String) throws(StoreError) { throw unused() }
    func status() throws(StoreError) -> StoreStatus { throw unused() }
    func close() {}
}
