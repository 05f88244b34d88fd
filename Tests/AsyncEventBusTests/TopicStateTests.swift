import Foundation
import TestSupport
import Testing

@testable import AsyncEventBus

@Suite("TopicState", .timeLimit(.deadlock))
struct TopicStateTests {
    private struct Pump: Hashable {
        let runs: Bool
    }

    private let bus = EventBus(logger: .silent)
    private let levels = Topic<Int>("tank.{site}.{id}.level")
    private let pumps = Topic<Pump>("pump.{id}.state")

    private func texts<Value>(_ count: Int, of updates: StateUpdates<Value>) async -> [String] {
        var texts: [String] = []
        for await (id, value) in updates {
            texts.append("\(id) \(value.map { "\($0)" } ?? "cleared")")
            if texts.count == count { break }
        }
        return texts
    }

    @Test("it is the latest value of each name, also for who asks later, and there when the emit has returned")
    func latest() throws {
        let state = bus.state(levels)
        #expect(state.values.isEmpty && state["x.a"] == nil)
        try bus.emit(levels(site: "x", id: "a"), 1)
        try bus.emit(levels(site: "x", id: "b.c"), 2)
        bus.emit("tank.x.a.level", "3")
        #expect(state.values == ["x.a": 3, "x.b%2Ec": 2])
        #expect(try state[levels(site: "x", id: "b.c")] == 2)
        #expect(bus.state(levels) === state && bus.state(levels)["x.a"] == 3)
        #expect(bus.state(Topic<String>("tank.{site}.{id}.level"))["x.a"] == nil)
    }

    @Test("an empty payload clears a name, and is an update if there was a value")
    func cleared() async throws {
        let state = bus.state(levels)
        bus.emit("tank.x.a.level")
        bus.emit("tank.x.a.level", "1")
        let iterator = state.updates().makeAsyncIterator()
        #expect(await iterator.next()?.value == 1)
        bus.emit("tank.x.a.level")
        let change = await iterator.next()
        #expect(change?.id == "x.a" && change?.value == nil && state.values.isEmpty)
    }

    @Test("a reader gets what is there, then each change; the same value again is none")
    func updates() async throws {
        let state = bus.state(pumps)
        try bus.emit(pumps(id: "b"), Pump(runs: true))
        try bus.emit(pumps(id: "a"), Pump(runs: false))
        try bus.emit(pumps(id: "b"), Pump(runs: false))
        let iterator = state.updates().makeAsyncIterator()
        #expect(await iterator.next()?.id == "a")
        #expect(await iterator.next()?.id == "b")
        try bus.emit(pumps(id: "a"), Pump(runs: false))
        try bus.emit(pumps(id: "b"), Pump(runs: true))
        let change = await iterator.next()
        #expect(change?.id == "b" && change?.value == Pump(runs: true))
    }

    @Test("a slow reader misses intermediate values, and gets the latest of each name once")
    func slow() async throws {
        let state = bus.state(levels)
        let updates = state.updates()
        let iterator = updates.makeAsyncIterator()
        for number in 0..<1_000 {
            for id in ["a", "b"] { try bus.emit(levels(site: "x", id: id), number) }
        }
        let changes = [await iterator.next(), await iterator.next()]
        #expect(changes.map { $0?.value } == [999, 999] && Set(changes.map { $0?.id }) == ["x.a", "x.b"])
        // A second reader has its own.
        #expect(await texts(2, of: updates) == ["x.a 999", "x.b 999"])
    }

    @Test("a waiting reader is woken by a change, and ends when its task is cancelled")
    func waiting() async throws {
        let state = bus.state(levels)
        let (heard, ended) = (Journal<Int?>(), Journal<Void>())
        let reader = Task {
            for await (_, value) in state.updates() { heard.write(value) }
            ended.write(())
        }
        for number in 1...100 {
            try bus.emit(levels(site: "x", id: "a"), number)
            await heard.wait(for: number)
        }
        #expect(heard.entries == Array(1...100))
        reader.cancel()
        await ended.wait(for: 1)
    }

    @Test("a payload that is no value changes nothing, and is reported")
    func noValue() async throws {
        let reports = Journal<Event>()
        bus.on("$bus.failed") { reports.write($0) }
        let state = bus.state(levels)
        bus.emit("tank.x.a.level", "1")
        bus.emit("tank.x.a.level", "none")
        #expect(await reports.wait(for: 1).first?.attributes[header: "listener"] == "state")
        #expect(state.values == ["x.a": 1])
    }

    @Test("values are forgotten beyond the bounds, the one that changed longest ago first, and that is an update")
    func bounds() throws {
        var memory = StateMemory<Int>()
        func set(_ id: String, _ value: Int, payload: Payload, size: Int) throws -> [String] {
            let outcome = memory.set(id, value, payload: payload, size: size, over: memory[id])
            return try #require(outcome).changed
        }
        func payload(_ size: Int) -> Payload { Payload([UInt8](repeating: 1, count: size)) }
        var changed: [String] = []
        for number in 0...TopicState<Int>.mostValues {
            changed = try set("\(number)", number, payload: Payload("\(number)"), size: 10)
            if number == 0 { _ = try set("0", -1, payload: "x", size: 10) }
        }
        #expect(changed == ["\(TopicState<Int>.mostValues)", "0"] && memory.forgotten == 1)
        #expect(memory["0"] == nil && memory["1"]?.value == 1 && memory.values.count == TopicState<Int>.mostValues)
        let large = TopicState<Int>.mostBytes - 25
        let forgotten = try set("large", 0, payload: payload(2), size: large)
        #expect(forgotten.count == TopicState<Int>.mostValues - 1)
        #expect(memory.values.count == 3)
        // A value that is too large alone is there alone.
        let alone = try set("larger", 0, payload: payload(3), size: large * 2)
        #expect(alone.count == 4)
        #expect(memory.order == ["larger"])
        let cleared = [memory.clear("larger").changed, memory.clear("larger").changed]
        #expect(cleared == [["larger"], []] && memory.order.isEmpty)
        for number in 0..<100_000 {
            _ = try set("a", number, payload: Payload("\(number)"), size: 1)
            _ = memory.clear("b")
        }
        #expect(memory.order == ["a"])
        // Another thread was faster.
        let former = memory["a"]
        _ = try set("a", -2, payload: "-2", size: 2)
        let late = memory.set("a", -1, payload: "-1", size: 2, over: former)
        #expect(late == nil && memory["a"]?.value == -2)
    }

    @Test("neither the comparison nor the end of a value runs under the lock of the state")
    func reentrant() async throws {
        let topic = Topic<Nosy>("nosy.{id}")
        let state = bus.state(topic)
        // A thread of its own, since a deadlock would block it.
        let counts = Locked<[Int]>([])
        Thread.detachNewThread { [bus] in
            for _ in 0..<3 { try? bus.emit(topic(id: "a"), Nosy(state)) }
            let full = state.values.count
            bus.emit("nosy.a")
            counts.withLock { $0 = [full, state.values.count] }
        }
        #expect(try await eventually { counts.withLock { !$0.isEmpty } })
        #expect(counts.withLock { $0 } == [1, 0])
    }

    /// Looks at the state that it is in whenever it is compared, and when it ends.
    private final class Nosy: Sendable, Equatable {
        private let state: TopicState<Nosy>

        init(_ state: TopicState<Nosy>) {
            self.state = state
        }

        deinit { _ = state.forgotten }

        static func == (left: Nosy, right: Nosy) -> Bool { left.state.values.isEmpty }
    }

    @Test("names that come and go while nobody reads do not pile up")
    func unread() {
        var reader = StateReader([])
        for number in 0..<3 * StateReader.mostNames { _ = reader.add(["\(number)"]) }
        var count = 0
        while reader.next() != nil { count += 1 }
        #expect(count == StateReader.mostNames)
    }
}
