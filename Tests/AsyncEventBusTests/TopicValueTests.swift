import EventBridgeTesting
import Locking
import TestSupport
import Testing

@testable import AsyncEventBus

@Suite("Topic: values", .timeLimit(.deadlock))
struct TopicValueTests {
    /// Has an identity, by which a copy would be noticed.
    private final class Reading: Sendable {
        let bar: Int

        init(bar: Int) { self.bar = bar }
    }

    private struct Unusable: Error, CustomStringConvertible {
        let description = "no fuse"
    }

    /// Permanent or not, as it says.
    private struct Advice: PermanentError {
        let isPermanent: Bool
    }

    private let bus = EventBus(clock: TestClock(), logger: .silent)
    private let reports = Journal<Event>()
    private let encoded = Journal<Int>()
    private let decoded = Journal<String>()

    init() {
        bus.on("$bus.failed", delivery: .serial) { [reports] in reports.write($0) }
    }

    /// Encodes as one byte, and counts.
    private var codec: PayloadCodec<Reading> {
        PayloadCodec(mediaType: "application/x-bar") { [encoded] reading in
            encoded.write(reading.bar)
            guard let byte = UInt8(exactly: reading.bar) else { throw Unusable() }
            return [byte]
        } decode: { [decoded] bytes in
            decoded.write("bar")
            guard bytes.count == 1 else { throw Unusable() }
            return Reading(bar: Int(bytes[0]))
        }
    }

    private func arrive(_ name: EventName, _ payload: Payload, type: String? = nil) {
        bus.emit(
            Event(
                id: EventID(source: "far", tag: "\(UInt64.random(in: 0 ... .max))"),
                name: name,
                payload: payload,
                origin: EventOrigin(bus: "far"),
                attributes: EventAttributes(contentType: type)
            )
        )
    }

    @Test("a value reaches listeners of its topic as it is, and needs no codec for that")
    func asItIs() async throws {
        let (topic, heard, reading) = (Topic<Reading>("meter.{id}"), Journal<Reading>(), Reading(bar: 1))
        for _ in 0..<3 { bus.on(topic) { reading, _ in heard.write(reading) } }
        bus.on("meter.*") { heard.write($0.payload.bytes.isEmpty ? reading : Reading(bar: 2)) }
        try bus.emit(topic(id: "a"), reading)
        #expect(await heard.wait(for: 4).allSatisfy { $0 === reading })
    }

    @Test("a value is encoded if a transport takes its event, once for all transports, and not otherwise")
    func encodedOnce() async throws {
        let topic = Topic("meter.{id}", codec)
        bus.on(topic) { _, _ in }
        let transports = [FakeTransport(), FakeTransport()]
        for transport in transports { bus.attach(transport, to: ["meter.out"]) }
        try bus.emit(topic(id: "in"), Reading(bar: 1))
        try bus.emit(topic(id: "out"), Reading(bar: 2), scope: .local)
        #expect(encoded.count == 0)
        try bus.emit(topic(id: "out"), Reading(bar: 3))
        try await bus.emitWhenRoom(
            topic(id: "out"),
            Reading(bar: 4),
            attributes: EventAttributes(contentType: "own/type")
        )
        for transport in transports {
            #expect(transport.taken.entries.map(\.payload.bytes) == [[3], [4]])
            #expect(transport.taken.entries.map(\.attributes.contentType) == ["application/x-bar", "own/type"])
        }
        #expect(encoded.entries == [3, 4])
    }

    @Test("a value that a transport cannot have is refused before anybody receives it")
    func notEncodable() async throws {
        let (bare, heard, transport) = (Topic<Reading>("meter.{id}"), Journal<Int>(), FakeTransport())
        let topic = Topic("meter.{id}", codec)
        bus.on("meter.*") { _ in heard.write(0) }
        bus.attach(transport, to: ["meter.*"])
        let error = #expect(throws: EventBusError.self) { try bus.emit(bare(id: "a"), Reading(bar: 1)) }
        #expect(error?.code == .noCodec)
        #expect(throws: Unusable.self) { try bus.emit(topic(id: "a"), Reading(bar: 256)) }
        #expect(throws: Unusable.self) { try bus.tracked.emit(topic(id: "a"), Reading(bar: 256)) }
        await #expect(throws: Unusable.self) { try await bus.emitWhenRoom(topic(id: "a"), Reading(bar: 256)) }
        await bus.waitUntilIdle()
        #expect(transport.offered.count == 0 && heard.count == 0)
    }

    @Test("a receipt follows a value as it follows bytes")
    func receipts() async throws {
        let (topic, transport) = (Topic("meter.{id}", codec), FakeTransport())
        bus.attach(transport, to: ["meter.*"])
        let receipt = try bus.tracked.emit(topic(id: "a"), Reading(bar: 1))
        await transport.receipts.wait(for: 1)[0].didPublish()
        try await receipt.published()
        let second = try await bus.tracked.emitWhenRoom(topic(id: "a"), Reading(bar: 2))
        await transport.receipts.wait(for: 2)[1].didPublish()
        try await second.published()
    }

    @Test("bytes are decoded once for each type, whatever the number of listeners, also when they are no value")
    func decodedOnce() async throws {
        let (topic, text, heard) = (Topic("meter.{id}", codec), Topic<Int>("meter.{id}"), Journal<Int>())
        for _ in 0..<10 { bus.on(topic) { reading, _ in heard.write(reading.bar) } }
        bus.on(text) { number, _ in heard.write(number) }
        arrive("meter.a", Payload([0x37]))
        #expect(await heard.wait(for: 11).sorted() == [7] + Array(repeating: 0x37, count: 10))
        #expect(decoded.count == 1)
        arrive("meter.a", "71")
        #expect(await heard.wait(for: 12).last == 71)
        #expect(await reports.wait(for: 10).count == 10)
        #expect(decoded.count == 2)
    }

    @Test("payloads that are no value are reported without another attempt, and the rest flows")
    func noValue() async throws {
        let (topic, heard) = (Topic<Int>("meter.{id}"), Journal<Int>())
        bus.on(topic, name: "rule", delivery: .serial, .retry(5)) { number, _ in heard.write(number) }
        for text in ["1", "none", "3"] as [Payload] { arrive("meter.a", text) }
        #expect(await heard.wait(for: 2) == [1, 3])
        let report = try #require(await reports.wait(for: 1).first)
        #expect(report.attributes[header: "listener"] == "rule" && report.attributes[header: "attempts"] == "1")
        #expect(report.payload == "the payload is no Int: the text is no Int")
    }

    @Test("an error that says that it is permanent is not tried again", arguments: [true, false])
    func permanent(isPermanent: Bool) async throws {
        let clock = TestClock()
        let (bus, calls) = (EventBus(clock: clock, logger: .silent), Journal<Int>())
        bus.on("a", .retry(2, shortest: .seconds(1), longest: .seconds(1))) { event in
            calls.write(event.attempt)
            throw Advice(isPermanent: isPermanent)
        }
        bus.emit("a")
        if !isPermanent {
            await clock.sleepsBegun(1)
            clock.advance(by: .seconds(1))
        }
        await bus.waitUntilIdle()
        #expect(calls.entries == (isPermanent ? [1] : [1, 2]))
    }

    @Test(
        "the content type chooses the codec; the first one is for all others",
        arguments: [
            (nil, 1), ("application/x-bar", 1), ("application/x-two; v=1", 2), ("APPLICATION/X-TWO", 2),
            ("application/senml+x-two", 2), ("application/x-tw", 1), ("text/plain", 1),
        ] as [(String?, Int)]
    )
    func contentType(type: String?, bar: Int) async throws {
        let two = PayloadCodec<Reading>(mediaType: "application/x-two") { _ in
            []
        } decode: { _ in
            Reading(bar: 2)
        }
        let (topic, heard) = (Topic("meter.{id}", codec, two), Journal<Int>())
        bus.on(topic) { reading, _ in heard.write(reading.bar) }
        arrive("meter.a", Payload([1]), type: type)
        #expect(await heard.wait(for: 1) == [bar])
    }

    @Test("a topic of another type hears what the bytes say, not the value")
    func otherType() async throws {
        let (readings, heard) = (Topic("meter.{id}", codec), Journal<[UInt8]>())
        bus.on(Topic<[UInt8]>("meter.{id}")) { bytes, _ in heard.write(bytes) }
        try bus.emit(readings(id: "a"), Reading(bar: 9))
        #expect(await heard.wait(for: 1) == [[9]])
    }

    @Test("text is the value as people write it, with white space around it ignored except in a String")
    func text() throws {
        func value<Value: LosslessStringConvertible & Sendable>(_ text: String) throws -> Value {
            try PayloadCodec<Value>.text.decode(Array(text.utf8))
        }
        #expect(try value(" 21.5\n") == 21.5 && value("-3") == -3 && value("true") == true)
        #expect(try value(" on ") == " on ")
        #expect(try PayloadCodec<Double>.text.encode(21.5) == Array("21.5".utf8))
        #expect(throws: PayloadProblem.self) { let _: Int = try value("") }
        #expect(throws: PayloadProblem.self) { let _: Int = try value("2 1") }
        #expect(throws: PayloadProblem.self) { try PayloadCodec<String>.text.decode([0xFF]) }
    }

    @Test("a waiting value counts as much as it did when it came, encoded or not")
    func size() async throws {
        let (topic, transport, gate) = (Topic("meter.{id}", codec), FakeTransport(), Gate())
        let listener = Listener("slow", delivery: .serial, .capacityBytes(40)) { _ in await gate.pass() }
        try bus.addListener(listener, to: "meter.*")
        bus.attach(transport, to: ["meter.out"])
        for _ in 0..<20 {
            for id in ["in", "out"] { try bus.emit(topic(id: id), Reading(bar: 1)) }
            _ = transport.taken.entries.last?.payload.bytes
        }
        let load = try #require(bus.load(of: listener))
        #expect((1...4).contains(load.waiting) && load.dropped > 30)
        gate.open()
        await bus.waitUntilIdle()
        #expect(bus.load(of: listener)?.waiting == 0)
    }
}
