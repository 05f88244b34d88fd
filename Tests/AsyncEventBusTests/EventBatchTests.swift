import Testing

@testable import AsyncEventBus
import TestSupport

@Suite("EventBatch", .timeLimit(.deadlock))
struct EventBatchTests {
    private func event(_ number: Int, _ name: EventName) -> Event {
        Event(
            id: EventID(source: "test", tag: "\(number)"),
            name: name,
            payload: Payload(number: number),
            origin: EventOrigin(bus: "test")
        )
    }

    /// What one bus heard of some events.
    private struct Hearing: Equatable {
        var heard: [[Int]]
        var offered: [Int]
        var refused: [Int]
        var loads: [UInt64]
        var reports: [String]
        var subscribed: [Int]
    }

    /// Emits events on a bus whose serial listeners stand still, and returns what came where.
    private func hearing(
        _ events: [(event: Event, includesDurable: Bool)],
        scope: Scope,
        emit: (EventBus, [(event: Event, includesDurable: Bool)]) -> Void
    ) async -> Hearing {
        let (bus, gate, transport) = (EventBus(logger: .silent), Gate(), FakeTransport(answer: .full))
        let patterns: [EventPattern] = ["a.*", "a.b", "**"]
        let journals = patterns.map { _ in Journal<Int>() }
        let reports = Journal<String>()
        var listeners: [Listener] = []
        for (position, pattern) in patterns.enumerated() {
            let journal = journals[position]
            listeners.append(
                bus.on(
                    pattern,
                    name: position == 0 ? "named" : nil,
                    delivery: .serial,
                    .capacity(4),
                    .whenFull(position == 1 ? .dropNewest : .dropOldest)
                ) { event in
                    await gate.pass()
                    journal.write(event.number)
                }
            )
        }
        bus.on("$bus.dropped", delivery: .serial) { event in
            reports.write((event.attributes[header: "listener"] ?? "") + (event.attributes[header: "event-id"] ?? ""))
        }
        // Each serial listener is held up by one event, so that what follows waits.
        for name: EventName in ["a.b"] {
            bus.emit(event(-2, name), scope: .local)
            while listeners.contains(where: { bus.load(of: $0)?.waiting != 0 }) { await Task.yield() }
        }
        bus.attach(transport, to: ["a.b", "c"])
        let subscribed = await bus.withSubscription(to: "c", capacity: 2) { subscription in
            emit(bus, events)
            bus.emit("c", Payload(number: 1_000), scope: .local)
            var numbers: [Int] = []
            for await event in subscription {
                numbers.append(event.number)
                if event.number == 1_000 { break }
            }
            return numbers
        }
        gate.open()
        await bus.waitUntilIdle()
        return Hearing(
            heard: journals.map(\.entries),
            offered: transport.offered.entries.map(\.number),
            refused: transport.discarded.entries.map(\.number),
            loads: listeners.map { bus.load(of: $0)?.dropped ?? 99 },
            reports: reports.entries.sorted(),
            subscribed: subscribed
        )
    }

    @Test("a batch is heard, lost and reported as the same events one by one", arguments: Seed.fresh(4))
    func oneByOne(seed: Seed) async {
        var random = seed.random
        for _ in 0..<10 {
            let scope: Scope = random.pick([.everywhere, .local, .transports])
            // At times all have the same receivers, which is a way of its own.
            let name: EventName? = random.chance(1, in: 2) ? random.pick(["a.b", "a.c", "c", "d"]) : nil
            let includesDurable: Bool? = random.chance(1, in: 2) ? random.chance(1, in: 2) : nil
            var events: [(event: Event, includesDurable: Bool)] = []
            for number in 0..<random.below(14) {
                let event = event(number, name ?? random.pick(["a.b", "a.c", "c", "d"]))
                events.append((event, includesDurable ?? random.chance(2, in: 3)))
            }
            let single = await hearing(events, scope: scope) { bus, events in
                for (event, includesDurable) in events {
                    if includesDurable { bus.emit(event, scope: scope) } else { bus.emitToOthers(event, scope: scope) }
                }
            }
            let together = await hearing(events, scope: scope) { bus, events in
                var batch = EventBatch()
                for (event, includesDurable) in events {
                    batch.append(event, to: bus.destination(for: event.name), includesDurable: includesDurable)
                }
                #expect(batch.count == events.count && batch.isEmpty == events.isEmpty)
                bus.emit(&batch, scope: scope)
                #expect(batch.isEmpty)
            }
            #expect(single == together, "\(scope), \(events.map { ($0.event.name.text, $0.includesDurable) }), \(seed)")
        }
    }

    @Test("a batch is used again, with destinations that are kept, and forgets what it held")
    func reuse() async {
        let (bus, heard) = (EventBus(logger: .silent), Journal<Int>())
        bus.on("a", delivery: .serial) { heard.write($0.number) }
        let destination = bus.destination(for: "a")
        var batch = EventBatch()
        for round in 0..<3 {
            for number in 0..<100 { batch.append(event(round * 100 + number, "a"), to: destination) }
            bus.emit(&batch)
        }
        await bus.waitUntilIdle()
        #expect(heard.entries == Array(0..<300))
    }

    @Test("events of several batches and emitters reach a serial listener in the order of each emitter")
    func order() async {
        let (bus, heard) = (EventBus(logger: .silent), Journal<Int>())
        bus.on("**", delivery: .serial, .capacity(10_000)) { heard.write($0.number) }
        await withTaskGroup { group in
            for emitter in 0..<3 {
                group.addTask {
                    let names: [EventName] = ["a", "b", "c.d"]
                    let destinations = names.map { bus.destination(for: $0) }
                    var batch = EventBatch()
                    for number in 0..<900 {
                        let place = number % names.count
                        batch.append(event(emitter * 1_000 + number, names[place]), to: destinations[place])
                        if number % 90 == 89 { bus.emit(&batch) }
                    }
                }
            }
        }
        await bus.waitUntilIdle()
        for emitter in 0..<3 {
            let own = heard.entries.filter { $0 / 1_000 == emitter }
            #expect(own == (0..<900).map { emitter * 1_000 + $0 })
        }
    }
}
