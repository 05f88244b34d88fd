import TestSupport
import Testing

@testable import MQTTBridge

@Suite("DeferredDispatch")
struct HandoffTests {
    private let handoff = DeferredDispatch<Int>()
    private let done = Locked<[Int]>([])

    private func add(_ batch: Int, messages: Int, bytes: Int = 1) {
        handoff.add(batch, messages: messages, bytes: bytes) { batch in done.withLock { $0.append(batch) } }
    }

    @Test("what waits is worked off in its order, before the call that asks for it returns")
    func order() {
        for batch in 1...5 { add(batch, messages: 1_000 / batch) }
        #expect(done.withLock { $0 }.isEmpty)
        handoff.finish { batch in done.withLock { $0.append(batch) } }
        #expect(done.withLock { $0 } == [1, 2, 3, 4, 5])
    }

    @Test("a few messages are handed over at once, many soon", arguments: [1, 32, 33, 1_000])
    func begin(messages: Int) async throws {
        add(1, messages: messages)
        let (ended, end) = AsyncStream.makeStream(of: Void.self)
        handoff.begin { [done] batch in
            done.withLock { $0.append(batch) }
            end.finish()
        }
        if messages <= 32 { #expect(done.withLock { $0 } == [1]) }
        try await withTimeLimit(.seconds(30)) { for await _ in ended {} }
        #expect(done.withLock { $0 } == [1])
    }

    @Test("when too much waits, whoever adds works it off", arguments: [(4_097, 1), (1, 8 * 1024 * 1024 + 1)])
    func bound(messages: Int, bytes: Int) {
        add(1, messages: 1)
        add(2, messages: messages, bytes: bytes)
        #expect(done.withLock { $0 } == [1, 2])
    }
}
