import Testing

@testable import AsyncEventBus

@Suite("SubscriptionStateMachine")
struct SubscriptionStateMachineTests {
    private typealias Machine = SubscriptionStateMachine<Int>

    @Test("what was offered is read in order, and a reader of nothing waits")
    func order() {
        var machine = Machine(capacity: 3, policy: .dropOldest)
        for number in 1...3 { #expect(name(machine.offered(number)) == "queued") }
        #expect((1...4).map { _ in name(machine.asked()) } == ["1", "2", "3", "wait"])
    }

    @Test("an element goes straight to a reader that waits, and to it once")
    func handOver() {
        var machine = Machine(capacity: 1, policy: .dropOldest)
        #expect(name(machine.asked()) == "wait")
        #expect(name(machine.offered(1)) == "hand over 1")
        #expect(name(machine.offered(2)) == "queued")
        #expect(name(machine.asked()) == "2")
    }

    @Test(
        "a full subscription keeps what its policy says, and counts the rest",
        arguments: [
            (OverflowPolicy.dropOldest, ["displaced 1", "displaced 2"], ["3", "4"]),
            (.dropNewest, ["discarded", "discarded"], ["1", "2"]),
        ]
    )
    func overflow(policy: OverflowPolicy, answers: [String], kept: [String]) {
        var machine = Machine(capacity: 2, policy: policy)
        _ = machine.offered(1)
        _ = machine.offered(2)
        #expect([3, 4].map { name(machine.offered($0)) } == answers)
        #expect(machine.dropped == 2)
        #expect((1...2).map { _ in name(machine.asked()) } == kept)
    }

    @Test("an overflow is told once, and again only after half of the places were free")
    func overflowEpisodes() {
        var machine = Machine(capacity: 4, policy: .dropOldest)
        for number in 1...5 { _ = machine.offered(number) }
        #expect([machine.beginsOverflow(), machine.beginsOverflow()] == [true, false])
        _ = machine.asked()
        #expect(machine.beginsOverflow() == false)
        _ = machine.asked()
        #expect(machine.beginsOverflow() == true)
    }

    @Test("producers wait while there is no room, and are let in one by one in the order they came")
    func producers() {
        var machine = Machine(capacity: 1, policy: .dropOldest)
        #expect((1...4).map { machine.sent($0, token: UInt64($0)).map(name) } == ["queued", nil, nil, nil])
        #expect([machine.sendCancelled(token: 3), machine.sendCancelled(token: 3)] == [3, nil])
        #expect((1...4).map { _ in name(machine.asked()) } == ["1 admits 2", "2 admits 4", "4", "wait"])
        #expect(machine.sent(5, token: 5).map(name) == "hand over 5")
        #expect(machine.dropped == 0)
    }

    @Test("what was sent is not displaced: what was offered makes room, or the new one is discarded")
    func sent() {
        var machine = Machine(capacity: 2, policy: .dropOldest)
        #expect(machine.sent(1, token: 1).map(name) == "queued")
        #expect([2, 3].map { name(machine.offered($0)) } == ["queued", "displaced 2"])
        #expect(machine.sent(4, token: 4).map(name) == nil)
        #expect(name(machine.asked()) == "1 admits 4")
        #expect(name(machine.asked()) == "3")
        #expect(machine.sent(5, token: 5).map(name) == "queued")
        #expect([6, 7].map { name(machine.offered($0)) } == ["discarded", "discarded"])
        #expect(machine.dropped == 3)
        #expect((1...3).map { _ in name(machine.asked()) } == ["4", "5", "wait"])
    }

    @Test("bytes are bounded as well: as many make room as it takes, and senders wait")
    func bytes() {
        struct Weight: Sized {
            let size: Int
        }
        var machine = SubscriptionStateMachine<Weight>(capacity: 10, capacityBytes: 100, policy: .dropOldest)
        func sizes(_ action: SubscriptionStateMachine<Weight>.OfferAction?) -> [Int]? {
            switch action {
            case .queued: []
            case .displaced(let elements): elements.map(\.size)
            default: nil
            }
        }
        let displaced = [40, 50, 60, 200, 1].map { sizes(machine.offered(Weight(size: $0))) }
        #expect(displaced == [[], [], [40, 50], [60], [200]])
        #expect(machine.dropped == 4)
        #expect(sizes(machine.sent(Weight(size: 99), token: 1)) == [])
        #expect(machine.sent(Weight(size: 2), token: 2) == nil)
        #expect(machine.sent(Weight(size: 0), token: 3) == nil, "nobody passes who waits")
        #expect(sizes(machine.offered(Weight(size: 2))) == nil)
        #expect(sizes(machine.offered(Weight(size: 1))) == [1])
        var read: [Int] = []
        while case .element(let element, _) = machine.asked() { read.append(element.size) }
        #expect(read == [99, 1, 2, 0])
    }

    @Test("a reader that is cancelled no longer waits")
    func readCancelled() {
        var machine = Machine(capacity: 1, policy: .dropOldest)
        #expect(machine.readCancelled() == false)
        _ = machine.asked()
        #expect([machine.readCancelled(), machine.readCancelled()] == [true, false])
        #expect(name(machine.offered(1)) == "queued")
    }

    @Test("closing gives back all that waits, inside and outside, and ends reading and writing")
    func closing() {
        var machine = Machine(capacity: 2, policy: .dropOldest)
        for number in 1...3 { _ = machine.sent(number, token: UInt64(number)) }
        let action = machine.closed()
        #expect(action.discarded == [1, 2, 3])
        #expect(action.producers == [3])
        #expect(!action.hadReader)
        #expect(name(machine.asked()) == "end")
        #expect(name(machine.offered(4)) == "discarded")
        #expect(machine.sent(5, token: 5).map(name) == "discarded")
        #expect(machine.dropped == 0)
    }

    @Test("closing tells that a reader waits")
    func closingWithReader() {
        var machine = Machine(capacity: 2, policy: .dropOldest)
        _ = machine.asked()
        #expect(machine.closed().hadReader)
        #expect(name(machine.asked()) == "end")
    }

    private func name(_ action: Machine.OfferAction) -> String {
        switch action {
        case .queued: "queued"
        case .handOver(let element): "hand over \(element)"
        case .displaced(let elements): "displaced \(elements.map(String.init).joined(separator: " "))"
        case .discarded: "discarded"
        }
    }

    private func name(_ action: Machine.ReadAction) -> String {
        switch action {
        case .element(let element, nil): "\(element)"
        case .element(let element, let token?): "\(element) admits \(token)"
        case .wait: "wait"
        case .end: "end"
        }
    }
}
