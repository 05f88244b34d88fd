import TestSupport
import Testing

@testable import Mosquitto

@Suite("EndingSubscriptions")
struct EndingSubscriptionsTests {
    private let answers = Locked<[Bool]>([])

    private var completion: EndingSubscriptions.Completion {
        { [answers] result in answers.withLock { $0.append((try? result.get()) != nil) } }
    }

    private var heard: [Bool] { answers.withLock { $0 } }

    private func opened(_ filters: [String] = [], session: Bool = true) -> EndingSubscriptions {
        var ending = EndingSubscriptions(filters, outlivesConnections: session)
        ending.connectionOpened(isSessionPresent: session)
        return ending
    }

    @Test("who unsubscribes is answered by the broker, once")
    func answered() {
        var ending = opened()
        ending.add(["a", "b"], isConnected: true, completion: completion)
        ending.sendNext(as: 5)
        #expect(!ending.isSettled)
        ending.acknowledged(packetID: 6)
        #expect(heard == [])
        ending.acknowledged(packetID: 5)
        ending.acknowledged(packetID: 5)
        ending.connectionLost()
        ending.ended()
        #expect(heard == [true])
        #expect(ending.isSettled)
    }

    @Test("what was cut before the answer, or ordered while away, is done on the next connection with the session")
    func cut() {
        var ending = opened()
        ending.add(["a"], isConnected: true, completion: completion)
        ending.sendNext(as: 5)
        ending.connectionLost()
        ending.add(["b"], isConnected: false, completion: completion)
        #expect(ending.nextBatch() == nil, "there is no connection to send it on")
        ending.connectionOpened(isSessionPresent: true)
        #expect(ending.sendNext(as: 1) == ["a", "b"])
        #expect(heard == [])
        ending.acknowledged(packetID: 1)
        #expect(heard == [true, true])
    }

    @Test("a connection that finds no session has ended everything")
    func noSession() {
        var ending = opened(["old"])
        ending.add(["a"], isConnected: true, completion: completion)
        ending.connectionLost()
        ending.connectionOpened(isSessionPresent: false)
        #expect(heard == [true])
        #expect(ending.nextBatch() == nil)
    }

    @Test("without a session to keep, the end of the connection has ended everything, and no connection too")
    func clean() {
        var ending = opened(["old"], session: false)
        #expect(ending.nextBatch() == nil)
        ending.add(["a"], isConnected: true, completion: completion)
        ending.sendNext(as: 1)
        ending.connectionLost()
        #expect(heard == [true])
        ending.add(["b"], isConnected: false, completion: completion)
        #expect(heard == [true, true])
    }

    @Test("a filter that is subscribed to again is not ended, also if that was under way", arguments: [true, false])
    func again(isSent: Bool) {
        var ending = opened()
        ending.add(["a", "b"], isConnected: true, completion: completion)
        if isSent { ending.sendNext(as: 1) }
        ending.cancel(["a"])
        if !isSent { #expect(ending.sendNext(as: 1) == ["b"]) }
        #expect(heard == [])
        ending.acknowledged(packetID: 1)
        #expect(heard == [true])
        ending.connectionLost()
        ending.connectionOpened(isSessionPresent: true)
        #expect(ending.nextBatch() == nil)
    }

    @Test("one UNSUBSCRIBE holds a bounded number of filters and bytes, and the longest still goes")
    func batches() {
        let long = String(repeating: "x", count: 6_000)
        let longest = String(repeating: "y", count: 65_535)
        var ending = opened([longest] + (0..<4).map { "\(long)\($0)" } + (0..<100).map { "t/\($0)" })
        var counts: [Int] = []
        while let batch = ending.nextBatch() { counts.append(batch.count) }
        #expect(counts == [1, 2, 64, 38])
    }

    @Test("a batch that could not be sent fails for who waits, and is tried again on the next connection")
    func failed() {
        var ending = opened()
        ending.add(["a"], isConnected: true, completion: completion)
        ending.failed(ending.nextBatch() ?? [], ClientError(.library, operation: "unsubscribe"))
        #expect(heard == [false])
        ending.connectionLost()
        ending.connectionOpened(isSessionPresent: true)
        #expect(ending.nextBatch() == ["a"])
    }

    @Test("who waits when the client ends is told so, once")
    func end() {
        var ending = opened()
        ending.add(["a"], isConnected: true, completion: completion)
        ending.ended()
        ending.connectionLost()
        ending.ended()
        #expect(heard == [false])
    }
}

extension EndingSubscriptions {
    /// Takes the next batch, as if it were sent.
    @discardableResult
    fileprivate mutating func sendNext(as packetID: Int32) -> [String] {
        let batch = nextBatch() ?? []
        sent(batch, packetID: packetID)
        return batch
    }
}
