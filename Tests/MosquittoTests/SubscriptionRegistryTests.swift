import Testing
import TestSupport

@testable import Mosquitto

@Suite("SubscriptionRegistry")
struct SubscriptionRegistryTests {
    /// What a completion was called with.
    private final class Answers: Sendable {
        let results = Locked<[Result<[SubscriptionResult], ClientError>]>([])

        var completion: SubscriptionRegistry.Completion {
            { result in self.results.withLock { $0.append(result) } }
        }

        var count: Int { results.withLock { $0.count } }

        var reasons: [UInt8]? {
            results.withLock { $0.last.flatMap { try? $0.get() }?.map(\.reason.rawValue) }
        }
    }

    private func opened(_ requests: [SubscriptionRequest]) -> SubscriptionRegistry {
        var registry = SubscriptionRegistry(requests)
        registry.connectionOpened()
        return registry
    }

    // MARK: Batches

    @Test("one SUBSCRIBE holds what shares QoS and options, and all are asked for in order")
    func batchesByOptions() {
        var registry = opened([
            SubscriptionRequest("a", qos: .atLeastOnce), SubscriptionRequest("b", qos: .exactlyOnce),
            SubscriptionRequest("c", qos: .atLeastOnce), SubscriptionRequest("d", qos: .atLeastOnce, noLocal: true),
            SubscriptionRequest("e", qos: .atLeastOnce, retainAsPublished: true),
            SubscriptionRequest("f", qos: .atLeastOnce, retainHandling: .doNotSend),
            SubscriptionRequest("g", qos: .atLeastOnce, retainAsPublished: true, marksKept: true),
        ])
        var batches: [[String]] = []
        while let batch = registry.nextBatch() { batches.append(batch.map(\.filter)) }
        #expect(batches == [["a", "c"], ["b"], ["d"], ["e"], ["f"], ["g"]])
    }

    @Test("to mark what was kept takes two SUBSCRIBEs; without identifiers the flag keeps its one meaning")
    func steps() {
        let request = SubscriptionRequest("a", retainAsPublished: true, marksKept: true)
        let steps = request.steps(hasIdentifiers: true)
        #expect(steps.map(\.optionBits) == [0x08, 0x28])
        #expect(steps.map(\.identifier) == [1, nil])
        let plain = request.steps(hasIdentifiers: false)
        #expect(plain.map(\.optionBits) == [0])
        #expect(plain.map(\.identifier) == [nil])
        #expect(SubscriptionRequest("a", noLocal: true).steps(hasIdentifiers: true).map(\.optionBits) == [0x04])
    }

    @Test("one SUBSCRIBE holds a bounded number of filters")
    func batchesByCount() {
        var registry = opened((0..<200).map { SubscriptionRequest("t/\($0)") })
        var counts: [Int] = []
        while let batch = registry.nextBatch() { counts.append(batch.count) }
        #expect(counts == [64, 64, 64, 8])
    }

    @Test("one SUBSCRIBE holds a bounded number of bytes, and the longest filter still goes")
    func batchesByBytes() {
        let long = String(repeating: "x", count: 6_000)
        let longest = String(repeating: "y", count: 65_535)
        var registry = opened(([longest] + (0..<4).map { "\(long)\($0)" }).map { SubscriptionRequest($0) })
        var counts: [Int] = []
        while let batch = registry.nextBatch() {
            counts.append(batch.count)
            let bytes = batch.reduce(0) { $0 + $1.filter.utf8.count }
            #expect(batch.count == 1 || bytes <= SubscriptionRegistry.batchBytes)
        }
        #expect(counts == [1, 2, 2])
    }

    // MARK: Answers

    @Test("the answers are told once, when the last is there, in the order of the requests")
    func resultsOnce() {
        var registry = opened([SubscriptionRequest("a"), SubscriptionRequest("b", qos: .exactlyOnce)])
        registry.sendNext(as: 1)
        #expect(registry.resultsIfComplete() == nil)
        registry.sendNext(as: 2)
        #expect(registry.acknowledged(packetID: 2, reasons: [.notAuthorized]) == nil)
        let results = registry.acknowledged(packetID: 1, reasons: [ReasonCode(rawValue: 1)])
        #expect(results?.map(\.request.filter) == ["a", "b"])
        #expect(results?.map(\.reason.rawValue) == [1, 0x87])
        #expect(results?.map(\.grantedQoS) == [.atLeastOnce, nil])
        #expect(registry.resultsIfComplete() == nil)
    }

    @Test("an answer to nothing, and one that came twice, are nobody's")
    func unknownAnswer() {
        var registry = opened([SubscriptionRequest("a")])
        registry.sendNext(as: 1)
        #expect(registry.acknowledged(packetID: 9, reasons: [.success]) == nil)
        #expect(registry.acknowledged(packetID: 1, reasons: [.success])?.count == 1)
        #expect(registry.acknowledged(packetID: 1, reasons: [.notAuthorized]) == nil)
    }

    @Test("an answer that is too short grants nothing to the rest")
    func shortAnswer() {
        var registry = opened([SubscriptionRequest("a"), SubscriptionRequest("b")])
        registry.sendNext(as: 1)
        let results = registry.acknowledged(packetID: 1, reasons: [ReasonCode(rawValue: 1)])
        #expect(results?.map(\.reason) == [ReasonCode(rawValue: 1), .unspecifiedError])
    }

    @Test("with nothing to subscribe the answers are there at once")
    func nothing() {
        var registry = opened([])
        #expect(registry.nextBatch() == nil)
        #expect(registry.resultsIfComplete() == [])
        #expect(registry.resultsIfComplete() == nil)
    }

    @Test("who subscribes is answered once, when all of its filters are")
    func waiter() {
        var registry = opened([])
        let answers = Answers()
        let requests = [SubscriptionRequest("a"), SubscriptionRequest("b", qos: .exactlyOnce)]
        registry.add(requests, completion: answers.completion)
        registry.sendNext(as: 1)
        registry.sendNext(as: 2)
        _ = registry.acknowledged(packetID: 1, reasons: [ReasonCode(rawValue: 1)])
        #expect(answers.count == 0)
        _ = registry.acknowledged(packetID: 2, reasons: [.quotaExceeded])
        #expect(answers.reasons == [1, 0x97])
        registry.ended()
        #expect(answers.count == 1)
    }

    @Test("who subscribes without a connection, or loses it, is answered by the next one")
    func waiterAcrossConnections() {
        var registry = SubscriptionRegistry([])
        let answers = Answers()
        registry.add([SubscriptionRequest("a")], completion: answers.completion)
        registry.connectionOpened()
        registry.sendNext(as: 1)
        registry.connectionLost()
        _ = registry.acknowledged(packetID: 1, reasons: [ReasonCode(rawValue: 1)])
        #expect(answers.count == 0)
        registry.connectionOpened()
        registry.sendNext(as: 1)
        _ = registry.acknowledged(packetID: 1, reasons: [ReasonCode(rawValue: 1)])
        #expect(answers.reasons == [1])
    }

    @Test("a filter that is given again replaces the former request")
    func replacement() {
        var registry = opened([SubscriptionRequest("a", qos: .atMostOnce)])
        registry.sendNext(as: 1)
        let answers = Answers()
        registry.add([SubscriptionRequest("a", qos: .exactlyOnce)], completion: answers.completion)
        #expect(registry.sendNext(as: 2).map(\.qos) == [.exactlyOnce])
        _ = registry.acknowledged(packetID: 1, reasons: [.success])
        #expect(answers.count == 0, "the answer to the former request is not the answer to this one")
        _ = registry.acknowledged(packetID: 2, reasons: [ReasonCode(rawValue: 2)])
        #expect(answers.reasons == [2])
        registry.connectionOpened()
        #expect(registry.nextBatch()?.map(\.qos) == [.exactlyOnce])
        #expect(registry.nextBatch() == nil)
    }

    @Test("a batch that could not be sent was granted nothing")
    func failed() {
        var registry = opened([SubscriptionRequest("a"), SubscriptionRequest("b")])
        let batch = registry.nextBatch() ?? []
        registry.failed(batch, ClientError(.library, operation: "subscribe"))
        #expect(registry.resultsIfComplete()?.map(\.reason) == [.unspecifiedError, .unspecifiedError])
    }

    // MARK: The end

    @Test("what was unsubscribed is not asked for again")
    func removal() {
        var registry = SubscriptionRegistry([SubscriptionRequest("a"), SubscriptionRequest("b")])
        registry.remove(["a"]) { _ in }
        registry.connectionOpened()
        #expect(registry.nextBatch()?.map(\.filter) == ["b"])
    }

    @Test("who still waits for an answer when the filter is unsubscribed is told that nothing was granted")
    func removalBeforeAnswer() {
        var registry = SubscriptionRegistry([])
        let answers = Answers()
        registry.add([SubscriptionRequest("a")], completion: answers.completion)
        registry.remove(["a"]) { _ in }
        #expect(answers.reasons == [0x80])
    }

    @Test("filters of an earlier run are ended where the session is present, except for the wanted ones")
    func former() {
        var registry = SubscriptionRegistry(
            [SubscriptionRequest("a"), SubscriptionRequest("e\u{301}")],
            former: ["a", "b", "\u{e9}"],
            keepsSession: true
        )
        registry.connectionOpened(isSessionPresent: true)
        registry.sendNext(as: 1)
        #expect(registry.sendEnding(as: 2).map { Array($0.utf8) } == ["b", "\u{e9}"].map { Array($0.utf8) })
        #expect(registry.acknowledged(packetID: 1, reasons: [.success, .success]) == nil)
        #expect(registry.ended(packetID: 2)?.count == 2, "the answers are told when the former filters are gone")
        registry.connectionLost()
        registry.connectionOpened(isSessionPresent: true)
        #expect(registry.nextEnding() == nil)
    }

    @Test("where there is no session, filters of an earlier run are gone with it")
    func formerWithoutSession() {
        var registry = SubscriptionRegistry([], former: ["b"], keepsSession: true)
        registry.connectionOpened(isSessionPresent: false)
        #expect(registry.nextEnding() == nil)
        #expect(registry.resultsIfComplete() == [])
        registry.connectionLost()
        registry.connectionOpened(isSessionPresent: true)
        #expect(registry.nextEnding() == nil)
    }

    @Test("who waits when the client ends is told so")
    func ended() {
        var registry = opened([])
        let answers = Answers()
        registry.add([SubscriptionRequest("a")], completion: answers.completion)
        registry.ended()
        registry.ended()
        #expect(answers.count == 1)
        #expect(
            answers.results.withLock { $0.first }.map { result in
                if case .failure(let error) = result { error.code == .notRunning } else { false }
            } == true
        )
    }
}

extension SubscriptionRegistry {
    /// Takes the next batch, as if it were sent.
    @discardableResult
    fileprivate mutating func sendNext(as packetID: Int32) -> [SubscriptionRequest] {
        let batch = nextBatch() ?? []
        sent(batch, packetID: packetID)
        return batch
    }

    /// Takes the next filters to end, as if they were sent.
    @discardableResult
    fileprivate mutating func sendEnding(as packetID: Int32) -> [String] {
        let batch = nextEnding() ?? []
        endingSent(batch, packetID: packetID)
        return batch
    }
}
