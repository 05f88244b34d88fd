import EventBridgeTesting
import Locking
import TestSupport
import Testing

@testable import AsyncEventBus

@Suite("Requests", .timeLimit(.deadlock))
struct RequestTests {
    private struct Broken: Error, CustomStringConvertible {
        let description = "the pump is away"
    }

    private let clock = TestClock()
    private let bus: EventBus
    private let topic = RequestTopic<Int, String>("pump.{id}.ask", request: .text, response: .text)

    init() {
        bus = EventBus(name: "test", clock: clock, logger: .silent)
    }

    /// Emits a request as a transport would bring it in.
    private func arrive(_ payload: Payload, replyTo: String? = "answers.far", correlation: String? = "c1") {
        bus.emit(
            Event(
                id: EventID(source: "far", tag: "\(UInt64.random(in: 0 ... .max))"),
                name: "pump.p1.ask",
                payload: payload,
                origin: EventOrigin(bus: "far"),
                attributes: EventAttributes(correlation: correlation.map { Array($0.utf8) }, replyTo: replyTo)
            )
        )
    }

    @Test("a request gets the response of its own call, however many are under way")
    func responses() async throws {
        bus.answer(topic) { number, event in "\(try event.id) \(number * 2)" }
        let responses = try await withThrowingTaskGroup(of: String.self) { group in
            for number in 0..<100 {
                group.addTask { [bus, topic] in
                    try await bus.request(topic(id: "p\(number)"), number, within: .seconds(10))
                }
            }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(responses == Set((0..<100).map { "p\($0) \($0 * 2)" }))
    }

    @Test("an error of the listener is the error of the request, and the listener has not failed")
    func errors() async throws {
        let reports = Journal<Event>()
        bus.on("$bus.**", delivery: .serial) { reports.write($0) }
        bus.answer(topic, delivery: .serial, .retry(3)) { _, _ in throw Broken() }
        let error = await #expect(throws: EventBusError.self) {
            try await bus.request(topic(id: "p1"), 1, within: .seconds(10))
        }
        #expect(error?.code == .answeredWithError && error?.detail == "the pump is away")
        #expect(error?.operation == "request pump.p1.ask")
        await bus.waitUntilIdle()
        #expect(reports.count == 0)
    }

    @Test("a request that nobody can answer fails at once; one that is only heard, or goes to a transport, does not")
    func noListeners() async throws {
        bus.on("pump.**") { _ in }
        let error = await #expect(throws: EventBusError.self) {
            try await bus.request(topic(id: "p1"), 1, within: .seconds(10))
        }
        #expect(error?.code == .noListeners)
        let transport = FakeTransport()
        bus.attach(transport, to: ["pump.*.ask"])
        async let response = bus.request(topic(id: "p1"), 1, within: .seconds(10))
        let event = try #require(await transport.taken.wait(for: 1).first)
        #expect(event.attributes.replyTo == bus.answersName.text && event.attributes.timeToLive == .seconds(10))
        #expect(event.payload == "1")
        bus.emit(bus.answersName, "far", attributes: EventAttributes(correlation: event.attributes.correlation))
        #expect(try await response == "far")
    }

    @Test("a request ends when no transport has somebody for it, with the refusal if there is one, and not before")
    func unheard() async throws {
        struct Refused: Error {}
        let transports = [FakeTransport(), FakeTransport()]
        for transport in transports { bus.attach(transport, to: ["pump.*.ask"]) }
        for isRefused in [false, true] {
            let number = isRefused ? 2 : 1
            async let response = bus.request(topic(id: "p1"), 1, within: .seconds(60))
            let first = await transports[0].receipts.wait(for: number)[number - 1]
            let second = await transports[1].receipts.wait(for: number)[number - 1]
            first.didPublish(isUnheard: true)
            if isRefused { second.didRefuse(Refused()) } else { second.didPublish(isUnheard: true) }
            do {
                _ = try await response
                Issue.record("it has no response")
            } catch {
                #expect(isRefused ? error is Refused : (error as? EventBusError)?.code == .noListeners)
            }
        }
        // Somebody hears it at one side.
        async let response = bus.request(topic(id: "p1"), 1, within: .seconds(60))
        let event = await transports[0].taken.wait(for: 3)[2]
        let receipts = [await transports[0].receipts.wait(for: 3)[2], await transports[1].receipts.wait(for: 3)[2]]
        receipts[0].didPublish(isUnheard: true)
        receipts[1].didPublish()
        bus.emit(bus.answersName, "far", attributes: EventAttributes(correlation: event.attributes.correlation))
        #expect(try await response == "far")
    }

    @Test("a request without a response ends with its time limit, and cancels the call that was to answer")
    func timeLimit() async throws {
        let (begun, ended) = (Journal<Void>(), Journal<Bool>())
        bus.answer(topic) { _, _ in
            begun.write(())
            try? await Gate().passUnlessCancelled()
            ended.write(Task.isCancelled)
            return "late"
        }
        let request = Task { [bus, topic] in try await bus.request(topic(id: "p1"), 1, within: .seconds(2)) }
        await begun.wait(for: 1)
        await clock.sleepsBegun(1)
        clock.advance(by: .seconds(2))
        let error = await #expect(throws: EventBusError.self) { try await request.value }
        #expect(error?.code == .timedOut && error?.detail == "no response within 2.0 seconds")
        #expect(await ended.wait(for: 1) == [true])
    }

    @Test("a cancelled request ends at once, and cancels the call that was to answer")
    func cancellation() async throws {
        let (begun, ended) = (Journal<Void>(), Journal<Bool>())
        bus.answer(topic) { _, _ in
            begun.write(())
            try? await Gate().passUnlessCancelled()
            ended.write(Task.isCancelled)
            return "late"
        }
        let request = Task { [bus, topic] in try await bus.request(topic(id: "p1"), 1, within: .seconds(2)) }
        await begun.wait(for: 1)
        request.cancel()
        await #expect(throws: CancellationError.self) { try await request.value }
        #expect(await ended.wait(for: 1) == [true])
    }

    @Test("several listeners answer one request, each once, until the time is over")
    func several() async throws {
        for name in ["a", "b", "c"] {
            bus.answer(topic, name: name) { number, _ in "\(name)\(number)" }
        }
        let responses = try await bus.withResponses(to: topic(id: "p1"), 1, within: .seconds(2)) { responses in
            await clock.sleepsBegun(1)
            var all: [String] = []
            for try await response in responses {
                all.append(response)
                if all.count == 3 { clock.advance(by: .seconds(2)) }
            }
            return all
        }
        #expect(responses.sorted() == ["a1", "b1", "c1"])
    }

    @Test("a response that is an error, or no value, ends no sequence: the next call returns the next response")
    func mixed() async throws {
        let numbers = RequestTopic<Int, Int>("pump.{id}.ask", request: .text, response: .text)
        let transport = FakeTransport()
        bus.attach(transport, to: ["pump.*.ask"])
        try await bus.withResponses(to: numbers(id: "p1"), 1, within: .seconds(2)) { responses in
            await clock.sleepsBegun(1)
            let correlation = await transport.taken.wait(for: 1)[0].attributes.correlation
            bus.emit(bus.answersName, "none", attributes: EventAttributes(correlation: correlation))
            bus.emit(
                bus.answersName,
                attributes: EventAttributes(headers: [.init("error", "no")], correlation: correlation)
            )
            bus.emit(bus.answersName, "7", attributes: EventAttributes(correlation: correlation))
            bus.emit(bus.answersName, "8", attributes: EventAttributes(correlation: [1]))
            bus.emit(bus.answersName, "9")
            var iterator = responses.makeAsyncIterator()
            await #expect(throws: PayloadDecodingError.self) { try await iterator.next() }
            await #expect(throws: EventBusError.self) { try await iterator.next() }
            let seven = try await iterator.next()
            #expect(seven == 7)
            clock.advance(by: .seconds(2))
            let end = try await iterator.next()
            #expect(end == nil)
        }
    }

    @Test("a repeated request gets the response again without another call, and is ignored while the first call runs")
    func repeated() async throws {
        let (calls, gate, answers) = (Journal<Int>(), Gate(), Journal<Event>())
        bus.on("answers.**", delivery: .serial) { answers.write($0) }
        bus.answer(topic) { number, _ in
            calls.write(number)
            await gate.pass()
            return "\(number)"
        }
        arrive("1")
        await calls.wait(for: 1)
        arrive("1")
        // The same correlation of another asker is another request.
        arrive("2", replyTo: "answers.other")
        await calls.wait(for: 2)
        gate.open()
        #expect(Set(await answers.wait(for: 2).map(\.payload)) == ["1", "2"])
        await bus.waitUntilIdle()
        arrive("1")
        let again = try #require(await answers.wait(for: 3).last)
        #expect(again.payload == "1" && again.attributes.correlation == Array("c1".utf8))
        #expect(Set(calls.entries) == [1, 2] && calls.count == 2)
        // Without a correlation nobody could know.
        for count in 4...5 {
            arrive("3", correlation: nil)
            await answers.wait(for: count)
        }
        #expect(calls.count == 4)
    }

    @Test(
        "a request that is no value is answered with the mistake, and one without a name for responses is carried out"
    )
    func unusual() async throws {
        let (calls, answers, reports) = (Journal<Int>(), Journal<Event>(), Journal<Event>())
        bus.on("answers.far") { answers.write($0) }
        bus.on("$bus.failed") { reports.write($0) }
        bus.answer(topic) { number, _ in
            calls.write(number)
            return ""
        }
        arrive("none")
        let answer = try #require(await answers.wait(for: 1).first)
        #expect(answer.attributes[header: "error"] == "the payload is no Int: the text is no Int")
        arrive("5", replyTo: nil)
        #expect(await calls.wait(for: 1) == [5])
        arrive("6", replyTo: "a*")
        #expect(await reports.wait(for: 1).count == 1)
        #expect(calls.count == 1)
    }

    @Test("nothing is left of requests that have ended")
    func leftovers() async throws {
        bus.answer(topic) { number, _ in "\(number)" }
        for number in 0..<10 { _ = try await bus.request(topic(id: "p"), number, within: .seconds(10)) }
        await bus.waitUntilIdle()
        #expect(bus.requests.isEmpty)
    }
}

@Suite("AnswerMemory")
struct AnswerMemoryTests {
    private func key(_ number: Int) -> AnswerMemory.Key {
        AnswerMemory.Key(replyTo: ExactText("a"), correlation: Array("\(number)".utf8))
    }

    private func answer(_ size: Int) -> AnswerMemory.Answer {
        AnswerMemory.Answer(payload: Payload([UInt8](repeating: 1, count: size)), attributes: EventAttributes())
    }

    @Test("it holds at most 1,024 answers and a mebibyte, and forgets the oldest first")
    func bounds() {
        var memory = AnswerMemory()
        func isNew(_ number: Int) -> Bool {
            if case .new = memory.find(key(number)) { true } else { false }
        }
        for number in 0..<1_025 where isNew(number) { memory.answered(key(number), answer(8)) }
        let oldest = (isNew(1), isNew(0))
        #expect(oldest == (false, true))
        memory = AnswerMemory()
        for number in 0..<40 where isNew(number) { memory.answered(key(number), answer(60_000)) }
        let known = (0..<40).filter { number in
            if case .answered = memory.find(key(number)) { true } else { false }
        }
        #expect((15...17).contains(known.count) && known.last == 39)
        let wasNew = isNew(99)
        memory.answered(key(99), answer(1 << 20))
        let isForgotten = isNew(99)
        #expect(wasNew && isForgotten)
    }
}
