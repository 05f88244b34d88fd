import TestSupport
import Testing

@testable import AsyncEventBus

@Suite("EventBus: full mailboxes", .timeLimit(.deadlock))
struct EventBusOverflowTests {
    private let bus = EventBus(logger: .silent)
    private let heard = Journal<String>()
    private let reports = Journal<Event>()

    init() {
        bus.on("$bus.**", name: "reports", delivery: .serial) { [reports] in reports.write($0) }
    }

    @Test(
        "a full mailbox keeps what its policy says, counts the rest, and receipts tell",
        arguments: [
            (OverflowPolicy.dropOldest, ["running", "3", "4", "5"]), (.dropNewest, ["running", "0", "1", "2"]),
        ]
    )
    func policies(policy: OverflowPolicy, kept: [String]) async throws {
        let (heard, gate) = (heard, Gate())
        let listener = bus.on("a", name: "full", delivery: .serial, .capacity(3), .whenFull(policy)) { event in
            heard.hear(event)
            await gate.pass()
        }
        bus.emit("a", "running")
        await heard.wait(for: 1)
        let receipts = (0..<6).map { bus.tracked.emit("a", "\($0)") }
        let load = try #require(bus.load(of: listener))
        #expect(load == (waiting: 3, dropped: 3))
        #expect(receipts.map(\.summary.discarded).reduce(0, +) == 3)
        gate.open()
        for receipt in receipts { try await receipt.finished() }
        await bus.waitUntilIdle()
        #expect(heard.entries == kept)
        let discarded = zip(0..., receipts).filter { $1.summary.discarded == 1 }.map { "\($0.0)" }
        #expect(Set(discarded).isDisjoint(with: kept) && discarded.count == 3)
    }

    @Test("a mailbox is bounded in bytes: names, payloads and attributes", arguments: [0, 1, 2])
    func bytes(kind: Int) async throws {
        let (heard, gate) = (heard, Gate())
        let listener = Listener(
            "full",
            delivery: kind == 1 ? .keyed(limit: 1) { _ in "" } : .serial,
            .capacityBytes(400),
            .retry(kind == 2 ? 2 : 1)
        ) { event in
            heard.write(event.attributes[header: "n"] ?? "")
            await gate.pass()
        }
        try bus.addListener(listener, to: "*")
        func emit(_ text: String) {
            let padding = String(repeating: "x", count: 98)
            bus.emit("a", Payload(padding), attributes: EventAttributes(headers: [.init("n", text)]))
        }
        emit("r")
        await heard.wait(for: 1)
        // Of 101 bytes each: one for the name, 98 for the payload, two for the header.
        for number in 0..<6 { emit("\(number)") }
        #expect(try #require(bus.load(of: listener)) == (waiting: 3, dropped: 3))
        var batch = EventBatch()
        let large = Payload([UInt8](repeating: 0, count: 150))
        for _ in 0..<2 { batch.append(bus.event("a", large), to: bus.destination(for: "a")) }
        bus.emit(&batch)
        #expect(try #require(bus.load(of: listener)) == (waiting: 2, dropped: 6))
        gate.open()
        await bus.waitUntilIdle()
        #expect(heard.entries == ["r", "", ""])
        #expect(reports.entries.map(\.name) == ["$bus.dropped"])
    }

    @Test("by default 64 MiB wait for a listener or a subscription that does not come along")
    func defaultBytes() async throws {
        let gate = Gate()
        let listener = bus.on("a", delivery: .serial, .capacity(65_536)) { _ in await gate.pass() }
        let dropped = await bus.withSubscription(to: "a", capacity: 65_536) { subscription in
            for number in 0..<300 { bus.emit("a", Payload([UInt8](repeating: UInt8(number % 256), count: 500_000))) }
            return subscription.dropped
        }
        #expect(dropped == 300 - 134)
        #expect(try #require(bus.load(of: listener)).waiting == 134)
        gate.open()
        bus.removeListener(listener)
    }

    @Test("an overflow is told when it begins, and again only after the mailbox was half empty")
    func episodes() async {
        let (heard, gates) = (heard, [Gate(), Gate()])
        let listener = bus.on("a", name: "full", delivery: .serial, .capacity(4)) { event in
            heard.hear(event)
            if event.payload == "hold 0" { await gates[0].pass() }
            if event.payload == "hold 1" { await gates[1].pass() }
        }
        for episode in 0..<2 {
            bus.emit("a", "hold \(episode)")
            await heard.wait(for: 1 + episode * 5)
            for number in 0..<10 { bus.emit("a", "\(number)") }
            gates[episode].open()
            await bus.waitUntilIdle()
            #expect(reports.count == episode + 1)
        }
        #expect(bus.load(of: listener)?.dropped == 12)
        #expect(reports.entries.map(\.name) == ["$bus.dropped", "$bus.dropped"])
        #expect(reports.entries.map { $0.attributes[header: "total"] } == ["1", "7"])
        #expect(reports.entries.map { $0.attributes[header: "listener"] } == ["full", "full"])
        #expect(reports.entries.map { $0.attributes[header: "event"] } == ["a", "a"])
    }

    @Test("a flood of one key does not push out the others")
    func keyedFlood() async {
        let (heard, gate) = (heard, Gate())
        bus.on("*", delivery: .keyed(limit: 1) { $0.name.text }, .capacity(3)) { event in
            heard.write("\(event.name) \(event.number)")
            await gate.pass()
        }
        bus.emit("busy", "0")
        await heard.wait(for: 1)
        bus.emit("rare", "0")
        for number in 0..<50 { bus.emit("flood", Payload(number: number)) }
        gate.open()
        await bus.waitUntilIdle()
        #expect(heard.entries == ["busy 0", "rare 0", "flood 48", "flood 49"])
    }

    @Test("a full mailbox of a listener to reports is not reported")
    func reportsOverflow() async {
        let (heard, gate) = (heard, Gate())
        let listener = bus.on("$bus.failed", name: "slow", delivery: .serial, .capacity(1)) { event in
            heard.hear(event)
            await gate.pass()
        }
        bus.on("a", name: "bad", delivery: .serial) { _ in throw CancellationError() }
        for _ in 0..<10 { bus.emit("a") }
        await reports.wait(for: 10)
        #expect(bus.load(of: listener)?.dropped ?? 0 >= 8)
        gate.open()
        await bus.waitUntilIdle()
        #expect(reports.entries.allSatisfy { $0.name == "$bus.failed" } && reports.count == 10)
    }
}
