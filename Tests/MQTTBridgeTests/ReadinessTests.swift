import TestSupport
import Testing

@testable import Mosquitto
@testable import MQTTBridge

@Suite("Readiness")
struct ReadinessTests {
    private let refusal = SubscriptionResult(request: SubscriptionRequest("a/#"), reason: .notAuthorized)

    /// Starts to wait, and gives the others time to find it waiting; every answer must be the same without it.
    private func waiting(_ readiness: Readiness) async -> Task<Void, any Error> {
        let task = Task { try await readiness.wait() }
        for _ in 0..<20 { await Task.yield() }
        return task
    }

    @Test("is reached when the last broker has granted all, and lost with a connection")
    func granted() async throws {
        let readiness = Readiness(brokers: ["a", "b"])
        let waiters = [await waiting(readiness), await waiting(readiness)]
        readiness.subscribed("a", refusal: nil)
        #expect(!readiness.isReady)
        readiness.subscribed("b", refusal: nil)
        for waiter in waiters { try await withTimeLimit(.seconds(30)) { try await waiter.value } }
        #expect(readiness.isReady)
        try await readiness.wait()
        readiness.lost("a")
        #expect(!readiness.isReady)
        let again = await waiting(readiness)
        readiness.subscribed("a", refusal: nil)
        try await withTimeLimit(.seconds(30)) { try await again.value }
    }

    @Test("a refused subscription is told to who waits, with what to do")
    func refused() async throws {
        let readiness = Readiness(brokers: ["a"])
        let waiter = await waiting(readiness)
        readiness.subscribed("a", refusal: refusal)
        let error = await #expect(throws: ClientError.self) { try await waiter.value }
        #expect(error?.code == .notAuthorized)
        #expect(error?.reason == .notAuthorized)
        #expect(error?.operation == "subscribe to \"a/#\"")
        #expect(error?.advice.isEmpty == false)
        #expect(!readiness.isReady)
    }

    @Test("a refusal is forgotten when its own broker is connected anew, and not when another is")
    func refusalOfAnother() async throws {
        let readiness = Readiness(brokers: ["a", "b"])
        readiness.subscribed("a", refusal: refusal)
        readiness.subscribed("b", refusal: nil)
        readiness.lost("b")
        readiness.subscribed("b", refusal: nil)
        #expect(!readiness.isReady)
        await #expect(throws: ClientError.self) { try await readiness.wait() }
        readiness.lost("a")
        readiness.subscribed("a", refusal: nil)
        #expect(readiness.isReady)
    }

    @Test("the end of the bridge ends the wait with its reason, also for who comes later")
    func ended() async {
        let readiness = Readiness(brokers: ["a"])
        let waiter = await waiting(readiness)
        readiness.ended(ClientError(.takenOver, operation: "stay connected"))
        for wait in [waiter, Task { try await readiness.wait() }] {
            let error = await #expect(throws: ClientError.self) { try await wait.value }
            #expect(error?.code == .takenOver)
        }
    }

    @Test("a cancelled wait throws, before and while it waits; the others go on")
    func cancelled() async throws {
        let readiness = Readiness(brokers: ["a"])
        let other = await waiting(readiness)
        let waiter = await waiting(readiness)
        waiter.cancel()
        await #expect(throws: CancellationError.self) { try await waiter.value }
        let early = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await readiness.wait()
        }
        await #expect(throws: CancellationError.self) { try await early.value }
        readiness.subscribed("a", refusal: nil)
        try await withTimeLimit(.seconds(30)) { try await other.value }
    }
}
