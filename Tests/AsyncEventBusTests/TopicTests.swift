import AsyncEventBus
import TestSupport
import Testing

@Suite("Topic: names and captures")
struct TopicTests {
    /// A text with a form, such as an identifier of the user's.
    private struct Serial: LosslessStringConvertible {
        let number: Int
        var description: String { "SN\(number)" }

        init?(_ text: String) {
            guard text.hasPrefix("SN"), let number = Int(text.dropFirst(2)) else { return nil }
            self.number = number
        }
    }

    private let topic = Topic<Int>("meter.{id}.{part}.pressure")
    private let rest = Topic<Int>("site.{name}.{path...}")

    private func event<Value>(_ topic: Topic<Value>, _ name: EventName) -> Event {
        Event(id: EventID(source: "far", tag: "1"), name: name, payload: "1", origin: EventOrigin(bus: "far"))
    }

    /// The event as a listener of the topic gets it.
    private func heard<Value>(_ topic: Topic<Value>, _ name: EventName) async throws -> TopicEvent {
        let (bus, heard) = (EventBus(logger: .silent), Journal<TopicEvent>())
        bus.on(topic) { heard.write($1) }
        bus.emit(event(topic, name))
        return try #require(await heard.wait(for: 1).first)
    }

    @Test("a name is made of values, each one segment whatever text it is")
    func names() throws {
        #expect(try topic(id: "m1", part: 2).name == "meter.m1.2.pressure")
        #expect(try topic(id: "a.b*%", part: "").name.segments == ["meter", "a.b*%", "", "pressure"])
        #expect(try rest(name: "x", path: "a.b%2Ec").name.segments == ["site", "x", "a", "b.c"])
        #expect(try rest(name: "x", path: "").name == "site.x")
        #expect(try Topic<Int>("alarm").eventName() == "alarm")
    }

    @Test("a name without a value for a capture, or with one for no capture, is an error that says which")
    func wrongNames() {
        let missing = #expect(throws: EventBusError.self) { try topic(id: "m1") }
        #expect(missing?.code == .wrongCapture && missing?.detail == "the capture part has no value")
        let unknown = #expect(throws: EventBusError.self) { try topic(id: "m1", part: 1, room: 2) }
        #expect(unknown?.detail == "it has no capture room; its captures: id, part")
        #expect(throws: EventBusError.self) { try rest(name: "x", path: "a*") }
        #expect(throws: EventBusError.self) { try topic.eventName() }
        #expect(throws: EventBusError.self) { try Topic<Int>("{name...}")(name: "") }
    }

    @Test("captures are texts, numbers and whatever a text converts to")
    func captures() async throws {
        let event = try await heard(topic, try topic(id: "a.b", part: "SN7").name)
        #expect(try event.id == "a.b")
        let (id, part): (String, Serial) = (try event.id, try event.part)
        #expect(id == "a.b" && part.number == 7)
        let number: UInt8 = try await heard(topic, "meter.m.255.pressure").part
        #expect(number == 255)
        let path = try await heard(rest, "site.x.a.b%2Ec")
        #expect(try path.path == "a.b%2Ec" && path.name == "x")
        #expect(try await heard(rest, "site.x").path == "")
    }

    @Test("a capture that is not there, or is no such value, is an error that is not tried again")
    func wrongCaptures() async throws {
        let event = try await heard(topic, "meter.m.256.pressure")
        let unknown = #expect(throws: EventBusError.self) { try event.room }
        #expect(unknown?.detail == "it has no capture room; its captures: id, part")
        let wrong = #expect(throws: EventBusError.self) {
            let _: UInt8 = try event.part
        }
        #expect(wrong?.detail == "the capture part is no UInt8" && wrong?.isPermanent == true)
    }

    @Test("the key of a listener is a capture: calls of one wait for one another, those of others do not")
    func keyed() async throws {
        let (bus, gate, begun) = (EventBus(logger: .silent), Gate(), Journal<String>())
        bus.on(topic, delivery: .keyed(\.id)) { value, event in
            begun.write("\(try event.id) \(value)")
            await gate.pass()
        }
        for value in 1...2 {
            for id in ["a", "b"] { try bus.emit(topic(id: id, part: value), value) }
        }
        #expect(await begun.wait(for: 2).sorted() == ["a 1", "b 1"])
        gate.open()
        #expect(await begun.wait(for: 4).suffix(2).sorted() == ["a 2", "b 2"])
    }

    @Test("a key that the topic does not have ends the program, as a wrong pattern does")
    func wrongKey() async {
        await #expect(processExitsWith: .failure) {
            EventBus().on(Topic<Int>("a.{id}"), delivery: .keyed(\.room)) { _, _ in }
        }
        await #expect(processExitsWith: .failure) {
            EventBus().on("a.*", delivery: .keyed(\.id)) { _ in }
        }
    }
}
