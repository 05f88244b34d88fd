import Foundation
import TestSupport
import Testing

@testable import AsyncEventBus

@Suite("Immediate listeners", .timeLimit(.deadlock))
struct ImmediateListenerTests {
    struct Kind: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var delivery = DeliveryMode.concurrent(limit: 64)
        var timeLimit: Duration?
        var retry = RetryPolicy.never

        static let concurrent = Kind(testDescription: "concurrent")
        static let serial = Kind(testDescription: "serial", delivery: .serial)
        static let timed = Kind(testDescription: "with a time limit", timeLimit: .seconds(60))
        static let untimed = [
            concurrent, serial,
            Kind(testDescription: "keyed", delivery: .keyed(limit: 4) { $0.payload.text ?? "" }),
            Kind(testDescription: "with a retry policy", retry: RetryPolicy(attempts: 3)),
        ]
        static let all = untimed + [timed]
    }

    private struct Broken: Error, CustomStringConvertible {
        let description = "a fuse has blown"
    }

    @TaskLocal private static var mark = "none"

    private let bus = EventBus(logger: .silent)
    private let heard = Journal<String>()
    private let gate = Gate()

    @discardableResult
    private func on(
        _ name: EventPattern,
        _ kind: Kind,
        capacity: Int = 1_024,
        body: @escaping Listener.Body
    ) -> Listener {
        bus.on(
            name,
            name: "listener",
            delivery: kind.delivery,
            .capacity(capacity),
            .timeout(kind.timeLimit),
            .retry(kind.retry),
            .immediate(),
            body: body
        )
    }

    // MARK: Where and when

    @Test("a call begins before the emit returns, on the thread that emits, in whichever way", arguments: Kind.untimed)
    @available(macOS 26, iOS 26, tvOS 26, watchOS 26, visionOS 26, *)
    func beginsHere(kind: Kind) async throws {
        let (bus, heard) = (bus, heard)
        on("a", kind) { _ in heard.write(currentThread()) }
        let emits: [() async throws -> Void] = [
            { bus.emit("a") }, { _ = bus.tracked.emit("a") }, { bus.emit(makeEvent("a")) },
            { emitBatch([makeEvent("a")], on: bus) },
            { try await bus.emitWhenRoom("a") }, { _ = try await bus.tracked.emitWhenRoom("a") },
        ]
        for round in 0..<60 {
            try await emits[round % emits.count]()
            #expect(heard.count == round + 1 && heard.entries.last == currentThread(), "round \(round)")
            // A call that took long on a busy machine gives its thread away before the next one.
            await bus.waitUntilIdle()
        }
    }

    @Test("on a thread of a transport too, and only there where the listener is immediate", arguments: [true, false])
    @available(macOS 26, iOS 26, tvOS 26, watchOS 26, visionOS 26, *)
    func foreignThread(isImmediate: Bool) async throws {
        let (bus, heard, isHeard) = (bus, heard, DispatchSemaphore(value: 0))
        bus.on("a", .immediate(isImmediate)) { _ in
            heard.write(currentThread())
            isHeard.signal()
        }
        let isHere = try await onThread {
            bus.emit("a")
            // The thread stays until the call has noted its own: what tells a thread is used again after its end.
            try #require(isHeard.wait(timeout: .now() + 30) == .success)
            return heard.entries == [currentThread()]
        }
        #expect(isHere == isImmediate)
    }

    @Test("a call that suspends lets the emit return, and goes on on another thread", arguments: Kind.untimed)
    @available(macOS 26, iOS 26, tvOS 26, watchOS 26, visionOS 26, *)
    func goesOnElsewhere(kind: Kind) async throws {
        let (bus, heard, gate, isOver) = (bus, heard, gate, DispatchSemaphore(value: 0))
        on("a", kind) { _ in
            heard.write(currentThread())
            await gate.pass()
            heard.write(currentThread())
            isOver.signal()
        }
        let areHere = try await onThread {
            bus.emit("a")
            gate.open()
            try #require(isOver.wait(timeout: .now() + 30) == .success)
            return heard.entries.map { $0 == currentThread() }
        }
        #expect(areHere == [true, false])
    }

    @Test("a call has neither the task-local values nor the cancellation of the emitter", arguments: Kind.all)
    func ownTask(kind: Kind) async {
        let (bus, heard) = (bus, heard)
        on("a", kind) { _ in heard.write("\(Self.mark) \(Task.isCancelled)") }
        let emitter = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            Self.$mark.withValue("emitter") {
                bus.emit("a")
                heard.write("\(Self.mark) \(Task.isCancelled)")
            }
        }
        await emitter.value
        await bus.waitUntilIdle()
        #expect(heard.entries.sorted() == ["emitter true", "none false"])
    }

    // MARK: Calls at a time

    @Test("while a call is suspended the next one begins where delivery is concurrent")
    func concurrent() async {
        let (heard, gate) = (heard, gate)
        on("a", .concurrent) { event in
            heard.write("begin \(event.number)")
            await gate.pass()
            heard.write("end")
        }
        for number in 1...3 {
            bus.emit("a", Payload(number: number))
            await heard.wait(for: number)
        }
        #expect(heard.entries == ["begin 1", "begin 2", "begin 3"])
        gate.open()
        await bus.waitUntilIdle()
        #expect(heard.entries.dropFirst(3) == ["end", "end", "end"])
    }

    @Test("while a call of a serial listener is suspended the next ones wait, and then come in order")
    func serial() async {
        let (heard, gate) = (heard, gate)
        on("a", .serial) { event in
            heard.write("begin \(event.number)")
            await gate.pass()
            heard.write("end \(event.number)")
        }
        for number in 0..<100 { bus.emit("a", Payload(number: number)) }
        #expect(heard.count <= 1)
        gate.open()
        for number in 100..<200 { bus.emit("a", Payload(number: number)) }
        await bus.waitUntilIdle()
        #expect(heard.entries == (0..<200).flatMap { ["begin \($0)", "end \($0)"] })
    }

    @Test("a serial listener hears each emitter in order and runs once at a time, whoever's thread it is on")
    func severalEmitters() async throws {
        let (bus, heard, crowd) = (bus, heard, Crowd())
        on("*", .serial, capacity: 40_000) { event in
            crowd.enter()
            // Now and then it goes on on another thread, while emitters emit.
            if event.number % 16 == 0 { await Task.yield() }
            heard.write("\(event.name) \(event.number)")
            crowd.leave()
        }
        let names: [EventName] = ["a", "b", "c"]
        try await withThrowingTaskGroup { group in
            for name in names {
                group.addTask {
                    try await onThread { for number in 0..<5_000 { bus.emit(name, Payload(number: number)) } }
                }
            }
            try await group.waitForAll()
        }
        await bus.waitUntilIdle()
        #expect(crowd.most == 1)
        #expect(heard.count == 15_000)
        for name in names {
            #expect(heard.entries.filter { $0.hasPrefix(name.text) } == (0..<5_000).map { "\(name) \($0)" })
        }
    }

    // MARK: Emits from inside

    @Test("a listener that emits what it hears never runs inside itself, and hears all of it", arguments: Kind.all)
    func emitsToItself(kind: Kind) async {
        let (bus, heard, depths) = (bus, heard, Depths())
        on("a", kind) { event in
            depths.within {
                heard.hear(event)
                if event.number < 4_000 { bus.emit("a", Payload(number: event.number + 1)) }
            }
        }
        bus.emit("a", "0")
        await bus.waitUntilIdle()
        #expect(heard.entries == (0...4_000).map(String.init))
        #expect(depths.most == 1)
    }

    @Test("two listeners that emit to each other are at most both on one thread", arguments: Kind.all, Kind.all)
    func emitToEachOther(first: Kind, second: Kind) async {
        let (bus, heard, depths) = (bus, heard, Depths())
        for (own, other, kind) in [("ping", "pong", first), ("pong", "ping", second)] {
            on(EventPattern(EventName(spelled: own)), kind) { event in
                depths.within {
                    heard.hear(event)
                    guard event.number < 4_000 else { return }
                    bus.emit(EventName(spelled: other), Payload(number: event.number + 1))
                }
            }
        }
        bus.emit("ping", "0")
        await bus.waitUntilIdle()
        #expect(heard.entries == (0...4_000).map(String.init))
        #expect(depths.most <= 2)
    }

    @Test("a chain of listeners, each of which emits to the next, is heard to its end", arguments: Kind.all)
    func chain(kind: Kind) async {
        let (bus, heard) = (bus, heard)
        // More than a stack has room for.
        for number in 0..<5_000 {
            on(EventPattern(EventName(spelled: "chain.\(number)")), kind) { event in
                heard.write(event.name.text)
                bus.emit(EventName(spelled: "chain.\(number + 1)"))
            }
        }
        bus.emit("chain.0")
        await bus.waitUntilIdle()
        #expect(heard.entries == (0..<5_000).map { "chain.\($0)" })
    }

    @Test("a listener removed from inside its own call hears nothing more", arguments: Kind.all)
    func removesItself(kind: Kind) async throws {
        let (bus, heard, own) = (bus, heard, Journal<Listener>())
        own.write(
            on("a", kind) { event in
                heard.hear(event)
                bus.emit("a", "from inside")
                for listener in own.entries { bus.removeListener(listener) }
                bus.emit("a", "after")
            }
        )
        let receipt = bus.tracked.emit("a", "0")
        try await receipt.finished()
        bus.emit("a", "1")
        await bus.waitUntilIdle()
        // What it emitted first may have begun on another thread.
        #expect(Set(heard.entries).isSubset(of: ["0", "from inside"]) && heard.entries.first == "0")
        #expect(receipt.summary.finished == 1)
        #expect(own.entries.allSatisfy { bus.load(of: $0) == nil })
    }

    // MARK: Much at once

    @Test("of a batch the emitter's thread calls a turn at most, and all of it is heard", arguments: Kind.all)
    func batch(kind: Kind) async throws {
        let (bus, heard, threads) = (bus, heard, Journal<String>())
        on("a", kind) { event in
            threads.write(currentThread())
            heard.hear(event)
        }
        let calledHere = try await onThread {
            emitBatch((0..<1_000).map { makeEvent("a", $0) }, on: bus)
            return threads.entries.count { $0 == currentThread() }
        }
        // Calls with a time limit begin on the pool.
        #expect(calledHere <= 64 && (calledHere > 0 || kind.timeLimit != nil))
        await bus.waitUntilIdle()
        #expect(Set(heard.entries.compactMap(Int.init)) == Set(0..<1_000) && heard.count == 1_000)
    }

    @Test("send waits for room in a full mailbox, loses nothing and keeps order")
    func send() async throws {
        let (bus, heard, gate, executor) = (bus, heard, gate, StepExecutor())
        let (listener, sent) = (
            on("a", .serial, capacity: 2) { event in
                heard.hear(event)
                await gate.pass()
            }, Journal<Int>()
        )
        let sender = Task(executorPreference: executor) {
            for number in 0..<100 {
                try await bus.emitWhenRoom("a", Payload(number: number))
                sent.write(number)
            }
        }
        executor.step()
        // One runs, two wait.
        #expect(sent.entries == [0, 1, 2])
        #expect(heard.entries == ["0"])
        #expect(bus.load(of: listener)?.waiting == 2)
        executor.runFreely()
        gate.open()
        try await sender.value
        await bus.waitUntilIdle()
        #expect(heard.entries == (0..<100).map(String.init))
    }

    // MARK: Receipts and reports

    @Test("receipts finish, and before the emit returns where a call does not suspend", arguments: Kind.all)
    @available(macOS 26, iOS 26, tvOS 26, watchOS 26, visionOS 26, *)
    func receipts(kind: Kind) async throws {
        on("a", kind) { event in if event.number % 2 == 0 { await Task.yield() } }
        let first = bus.tracked.emit("a", "1")
        // With a time limit it does suspend, for its timer.
        if kind.timeLimit == nil { #expect(first.summary.finished == 1) }
        let receipts = [first] + (0..<500).map { bus.tracked.emit("a", Payload(number: $0)) }
        for receipt in receipts {
            try await receipt.finished()
            #expect(receipt.summary.finished == 1 && receipt.summary.failed == 0 && receipt.summary.discarded == 0)
        }
    }

    @Test("what throws is told before the emit returns", arguments: [Kind.concurrent, .serial])
    @available(macOS 26, iOS 26, tvOS 26, watchOS 26, visionOS 26, *)
    func failed(kind: Kind) async throws {
        let reports = Journal<Event>()
        bus.on("$bus.**", .immediate()) { reports.write($0) }
        on("a", kind) { _ in throw Broken() }
        let receipt = bus.tracked.emit("a")
        #expect(reports.entries.map(\.name) == ["$bus.failed"])
        #expect(reports.entries.map(\.payload) == ["a fuse has blown"])
        #expect(reports.entries.first?.attributes[header: "listener"] == "listener")
        #expect(receipt.summary.failed == 1)
    }

    @Test("a listener for reports that emits to those that it is told about blocks nobody", arguments: Kind.all)
    func reportsThatEmit(kind: Kind) async throws {
        let (bus, heard, gate, answered) = (bus, heard, gate, Journal<String>())
        let names: [EventName] = ["failing", "full"]
        on("$bus.**", kind, capacity: 10_000) { event in
            answered.write(event.name.text)
            if answered.count <= 3_000 { for name in names { bus.emit(name) } }
        }
        bus.on("failing", .capacity(10_000), .immediate()) { event in
            heard.hear(event)
            throw Broken()
        }
        bus.on("full", delivery: .serial, .capacity(1), .whenFull(.dropNewest), .immediate()) { _ in
            await gate.pass()
        }
        try await withThrowingTaskGroup { group in
            for _ in 0..<2 {
                group.addTask { try await onThread { for _ in 0..<100 { for name in names { bus.emit(name) } } } }
            }
            try await group.waitForAll()
        }
        await answered.wait(for: 3_000)
        gate.open()
        await bus.waitUntilIdle()
        #expect(answered.entries.count { $0 == "$bus.failed" } == heard.count)
        #expect(heard.count >= 3_000)
        #expect(answered.entries.contains("$bus.dropped"))
    }
}

/// An event as a transport brings it in.
private func makeEvent(_ name: EventName, _ number: Int = 0) -> Event {
    Event(
        id: EventID(source: "test", tag: "\(number)"),
        name: name,
        payload: Payload(number: number),
        origin: EventOrigin(bus: "test")
    )
}

private func emitBatch(_ events: [Event], on bus: EventBus) {
    var batch = EventBatch()
    for event in events { batch.append(event, to: bus.destination(for: event.name)) }
    bus.emit(&batch)
}

/// What tells one thread from others, as long as both last.
private func currentThread() -> String { "\(pthread_self())" }

/// Counts how many calls are one inside the other on a thread.
private final class Depths: Sendable {
    private let state = Locked((depths: [String: Int](), most: 0))

    var most: Int { state.withLock { $0.most } }

    func within(_ body: () -> Void) {
        let thread = currentThread()
        state.withLock { state in
            state.depths[thread, default: 0] += 1
            state.most = max(state.most, state.depths[thread, default: 0])
        }
        body()
        state.withLock { $0.depths[thread, default: 1] -= 1 }
    }
}
