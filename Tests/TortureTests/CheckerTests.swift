import Testing
import Torture

@Suite("Checker")
struct CheckerTests {
    /// Three messages of one key, promised.
    private func ledger(_ direction: Checker.Direction) -> (Checker, [TestMessage]) {
        var checker = Checker(direction, keys: 2)
        let testMessages = (0..<3).map { _ in checker.next(key: 0) }
        for testMessage in testMessages { checker.promise(testMessage) }
        return (checker, testMessages)
    }

    @Test("everything seen once and in order is no finding", arguments: [Checker.Direction.inbound, .outbound])
    func cleanRun(_ direction: Checker.Direction) {
        var (checker, testMessages) = ledger(direction)
        for testMessage in testMessages { checker.saw(.init(testMessage, identity: "s#\(testMessage.number)")) }
        #expect(checker.sent == 3 && checker.promised == 3 && checker.sightings == 3)
        #expect(checker.missing == 0 && checker.doubled == 0 && checker.unrecognised == 0)
        #expect(checker.reordered == 0 && checker.strange == 0)
    }

    @Test("a promised message that is never seen is lost, and named")
    func loss() {
        var (checker, testMessages) = ledger(.inbound)
        checker.saw(.init(testMessages[0], identity: "a"))
        checker.saw(.init(testMessages[2], identity: "c"))
        #expect(checker.missing == 1)
        #expect(checker.missingParcels(atMost: 5) == [testMessages[1]])
        #expect(checker.reordered == 0)
    }

    @Test("a message that nobody promised may be missing")
    func unpromised() {
        var checker = Checker(.outbound, keys: 1)
        _ = checker.next(key: 0)
        #expect(checker.sent == 1 && checker.promised == 0 && checker.missing == 0)
    }

    @Test("a message seen before its promise is known is not lost, and a promise given twice counts once")
    func latePromise() {
        var checker = Checker(.outbound, keys: 1)
        let testMessage = checker.next(key: 0)
        checker.saw(.init(testMessage, identity: "a"))
        checker.promise(testMessage)
        checker.promise(testMessage)
        #expect(checker.promised == 1 && checker.missing == 0)
    }

    @Test("an inbound double of a later life with the same id and a further attempt is recognised")
    func recognisedDouble() {
        var (checker, testMessages) = ledger(.inbound)
        checker.saw(.init(testMessages[0], identity: "a", attempt: 1, life: 1))
        checker.saw(.init(testMessages[0], identity: "a", attempt: 2, life: 2))
        checker.saw(.init(testMessages[0], identity: "a", attempt: 3, life: 3))
        #expect(checker.doubled == 2 && checker.unrecognised == 0)
    }

    @Test(
        "an inbound double is not recognised without the same id, a further attempt and another life",
        arguments: [
            Checker.Sighting(nil, identity: "b", attempt: 2, life: 2),
            Checker.Sighting(nil, identity: nil, attempt: 2, life: 2),
            Checker.Sighting(nil, identity: "a", attempt: 1, life: 2),
            Checker.Sighting(nil, identity: "a", attempt: 2, life: 1),
        ]
    )
    func unrecognisedDouble(_ second: Checker.Sighting) {
        var (checker, testMessages) = ledger(.inbound)
        checker.saw(.init(testMessages[0], identity: "a", attempt: 1, life: 1))
        var second = second
        second.testMessage = testMessages[0]
        checker.saw(second)
        #expect(checker.doubled == 1 && checker.unrecognised == 1)
    }

    @Test(
        "two sightings without an id are a double that is not recognised",
        arguments: [
            Checker.Direction.inbound, .outbound,
        ]
    )
    func noIdentity(_ direction: Checker.Direction) {
        var (checker, testMessages) = ledger(direction)
        checker.saw(.init(testMessages[0], identity: nil))
        checker.saw(.init(testMessages[0], identity: nil, attempt: 2, life: 2))
        #expect(checker.doubled == 1 && checker.unrecognised == 1)
    }

    @Test("an outbound double is recognised by its id alone")
    func outboundDouble() {
        var (checker, testMessages) = ledger(.outbound)
        checker.saw(.init(testMessages[0], identity: "a"))
        checker.saw(.init(testMessages[0], identity: "a"))
        checker.saw(.init(testMessages[1], identity: "b"))
        checker.saw(.init(testMessages[1], identity: "c"))
        #expect(checker.doubled == 2 && checker.unrecognised == 1)
    }

    @Test("a first sighting after that of a later message of its key is reordered")
    func reordering() {
        var (checker, testMessages) = ledger(.inbound)
        for index in [0, 2, 1] { checker.saw(.init(testMessages[index], identity: "\(index)")) }
        #expect(checker.reordered == 1 && checker.missing == 0)
    }

    @Test("neither a double nor another key's message reorders anything")
    func notReordered() {
        var (checker, testMessages) = ledger(.outbound)
        let other = checker.next(key: 1)
        for testMessage in testMessages { checker.saw(.init(testMessage, identity: "\(testMessage.number)")) }
        checker.saw(.init(other, identity: "x"))
        checker.saw(.init(testMessages[0], identity: "0"))
        #expect(checker.reordered == 0 && checker.doubled == 1)
    }

    @Test("a payload that was never sent is strange, whatever its key")
    func strange() {
        var (checker, testMessages) = ledger(.inbound)
        checker.saw(.init(nil, identity: "a"))
        checker.saw(.init(TestMessage(key: 0, number: testMessages.count), identity: "a"))
        checker.saw(.init(TestMessage(key: 9, number: 0), identity: "a"))
        #expect(checker.strange == 3 && checker.doubled == 0)
    }
}
