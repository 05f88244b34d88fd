import Testing

@testable import Simulation

@Suite("Promise")
struct PromiseTests {
    private typealias TestMessage = Promise.TestMessage

    @Test("a promise that is kept has no breach, with doubles that are recognised")
    func kept() {
        var promise = Promise()
        for number in 1...3 { promise.promise(TestMessage(key: 0, number: number), to: "a") }
        for number in [1, 2, 2, 3, 1] {
            promise.see(TestMessage(key: 0, number: number), identity: "\(number)", at: "a")
        }
        promise.settle()
        #expect(promise.breaches.isEmpty)
    }

    @Test("what never comes is a loss, but for what is excused")
    func loss() {
        var promise = Promise()
        for number in 1...3 { promise.promise(TestMessage(key: 1, number: number), to: "a") }
        promise.see(TestMessage(key: 1, number: 1), identity: "1", at: "a")
        promise.excuse(TestMessage(key: 1, number: 2), at: "a")
        promise.excuse(TestMessage(key: 1, number: 3), at: "b")
        promise.settle()
        #expect(promise.breaches == ["a never got 1: 1-3"])
    }

    @Test("a double with another identity is a breach")
    func unrecognised() {
        var promise = Promise()
        promise.see(TestMessage(key: 0, number: 1), identity: "x", at: "a")
        promise.see(TestMessage(key: 0, number: 1), identity: "y", at: "a")
        #expect(promise.breaches == ["a got 0-1 twice, as x and as y"])
    }

    @Test("where no identity travels, doubles are none of the checker's business")
    func overlooked() {
        var promise = Promise()
        promise.overlooksIdentity(at: ["a"])
        for identity in ["x", "y"] { promise.see(TestMessage(key: 0, number: 1), identity: identity, at: "a") }
        #expect(promise.breaches.isEmpty)
    }

    @Test("failures are counted for each message and receiver")
    func failures() {
        var promise = Promise()
        for _ in 0..<2 { promise.refuse(TestMessage(key: 0, number: 1), at: "a") }
        #expect(promise.refusals(of: TestMessage(key: 0, number: 1), at: "a") == 2)
        #expect(promise.refusals(of: TestMessage(key: 0, number: 1), at: "b") == 0)
    }

    @Test("a double needs a mishap in between")
    func mishaps() {
        var promise = Promise()
        let testMessage = TestMessage(key: 0, number: 1)
        for mishaps in [1, 2] { promise.see(testMessage, identity: "x", at: "a", mishaps: mishaps) }
        #expect(promise.breaches.isEmpty)
        promise.see(testMessage, identity: "x", at: "a", mishaps: 1)
        #expect(promise.breaches == ["a got 0-1 twice, though nothing had gone wrong"])
    }

    @Test("what the store knows to be done does not come again")
    func finished() {
        var promise = Promise()
        let testMessage = TestMessage(key: 0, number: 1)
        promise.see(testMessage, identity: "x", at: "a", mishaps: 1)
        promise.finish(testMessage, at: "a")
        promise.see(testMessage, identity: "x", at: "a", mishaps: 2)
        #expect(promise.breaches == ["a got 0-1 again, though the store knew that it was done with"])
    }

    @Test("order is that of each key and receiver, by the first time that each message was given")
    func order() {
        var promise = Promise()
        promise.see(TestMessage(key: 0, number: 2), identity: "2", at: "a")
        promise.see(TestMessage(key: 1, number: 1), identity: "3", at: "a")
        promise.see(TestMessage(key: 0, number: 1), identity: "1", at: "b")
        #expect(promise.breaches.isEmpty)
        promise.refuse(TestMessage(key: 1, number: 0), at: "a")
        promise.see(TestMessage(key: 1, number: 0), identity: "0", at: "a")
        #expect(promise.breaches.isEmpty)
        promise.see(TestMessage(key: 0, number: 1), identity: "1", at: "a")
        #expect(promise.breaches == ["a got 0-1 after 0-2"])
        promise.losesOrder(at: ["b"])
        promise.see(TestMessage(key: 0, number: 5), identity: "5", at: "b")
        promise.see(TestMessage(key: 0, number: 4), identity: "4", at: "b")
        #expect(promise.breaches.count == 1)
    }

    @Test("a message is named by its key and number", arguments: ["1-2", "", "1", "1-2-3", "a-b"])
    func names(text: String) {
        #expect(TestMessage(text)?.description == (text == "1-2" ? "1-2" : nil))
    }
}
