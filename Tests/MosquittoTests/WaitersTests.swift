import Locking
import TestSupport
import Testing

@Suite("Waiters")
struct WaitersTests {
    private struct Room: Sendable {
        var free = 0
        var waiters = Waiters<Int>()
    }

    private let room = Locking.Locked(Room())

    private func wait(for size: Int) async throws {
        try await room.wait(for: size, in: \.waiters) { room, size in room.free >= size ? .success(()) : nil }
    }

    private var count: Int {
        room.withLock { room in
            var copy = room.waiters
            return copy.removeAll { _ in true }.count
        }
    }

    @Test("nothing waits for a condition that holds")
    func atOnce() async throws {
        room.withLock { $0.free = 3 }
        try await wait(for: 3)
        #expect(count == 0)
    }

    @Test("tasks are removed in the order in which they came, if their condition holds")
    func order() async throws {
        let ended = Locking.Locked<[Int]>([])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for size in [2, 1, 3] {
                let before = count
                group.addTask {
                    try await wait(for: size)
                    ended.withLock { $0.append(size) }
                }
                _ = try await eventually { count == before + 1 }
            }
            #expect(room.withLock { $0.waiters.removeFirst { $0 <= 1 } } == nil)
            room.withLock { $0.waiters.removeFirst { $0 <= 2 } }?.resume()
            _ = try await eventually { ended.withLock { $0 } == [2] }
            let rest = room.withLock { $0.waiters.removeAll { $0 <= 3 } }
            #expect(rest.map(\.condition) == [1, 3])
            for waiter in rest { waiter.resume() }
            try await group.waitForAll()
        }
        #expect(ended.withLock { Set($0) } == [1, 2, 3])
    }

    @Test("what a condition was found to need is kept with the task")
    func notes() async throws {
        let task = Task { try await wait(for: 5) }
        _ = try await eventually { count == 1 }
        let none = room.withLock { room in
            room.waiters.removeAll { size in
                size -= 1
                return false
            }
        }
        #expect(none.isEmpty)
        let all = room.withLock { $0.waiters.removeAll { _ in true } }
        #expect(all.map(\.condition) == [4])
        all[0].resume(with: .failure(TimeLimitExceeded("a test", .zero)))
        await #expect(throws: TimeLimitExceeded.self) { try await task.value }
    }

    @Test("a task that is cancelled leaves, before it waits, while it does and in a race with the end of the wait")
    func cancelling() async throws {
        let early = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await wait(for: 1)
        }
        await #expect(throws: CancellationError.self) { try await early.value }
        let late = Task { try await wait(for: 1) }
        _ = try await eventually { count == 1 }
        late.cancel()
        await #expect(throws: CancellationError.self) { try await late.value }
        #expect(count == 0)
        for _ in 0..<200 {
            let task = Task { try await wait(for: 1) }
            _ = try await eventually { count == 1 }
            let end = Task { room.withLock { $0.waiters.removeAll { _ in true } }.forEach { $0.resume() } }
            task.cancel()
            // Resumed once, by one of them: another time would end the process.
            _ = await task.result
            await end.value
            #expect(count == 0)
        }
    }
}
