import AsyncEventBus
import MessageStore
import Mosquitto
import TestSupport
import Testing

@testable import MQTTBridge

@Suite("Record codec")
struct RecordCodecTests {
    private func text(_ random: inout SplitMix64) -> String {
        random.chance(1, in: 8) ? "\u{0}\u{1b}\"\\/\u{7f}" : random.level()
    }

    private func bytes(_ random: inout SplitMix64) -> [UInt8] {
        (0..<random.below(20)).map { _ in UInt8(random.below(256)) }
    }

    @Test("what goes out is the same when it comes from the store", arguments: Seed.fresh(100))
    func outbound(seed: Seed) throws {
        var random = seed.random
        var properties = MessageProperties()
        if random.chance(1, in: 2) { properties.contentType = text(&random) }
        if random.chance(1, in: 2) { properties.responseTopic = text(&random) }
        if random.chance(1, in: 2) { properties.correlationData = bytes(&random) }
        if random.chance(1, in: 2) { properties.expiry = .milliseconds(random.below(1_000_000)) }
        properties.isText = random.chance(1, in: 2)
        properties.userProperties = (0..<random.below(4)).map { _ in .init(text(&random), text(&random)) }
        let message = Message(
            topic: random.topic(),
            payload: bytes(&random),
            qos: random.pick([.atMostOnce, .atLeastOnce, .exactlyOnce]),
            isRetained: random.chance(1, in: 2),
            properties: properties
        )
        let event = Event(
            id: EventID(source: "s", tag: "1"),
            name: "e",
            payload: "not this one",
            origin: EventOrigin(bus: "b")
        )
        let record = RecordCodec.outbound(event, message, route: Route("t", "e"), now: 5)
        #expect(RecordCodec.message(record) == message)
        #expect((record.source, record.tag, record.time) == ("s", "1", 5))
    }

    @Test("what came in is the same when it comes from the store", arguments: Seed.fresh(100))
    func inbound(seed: Seed) throws {
        var random = seed.random
        let route = Route("t", "e", direction: .in, name: "r", broker: "b")
        let bus = EventBus()
        let context = try BridgeContext.sample(bus, [route])
        let attributes = EventAttributes(
            contentType: random.chance(1, in: 2) ? text(&random) : nil,
            headers: (0..<random.below(4)).map { _ in .init(text(&random), text(&random)) },
            timeToLive: random.chance(1, in: 2) ? .nanoseconds(random.below(1_000_000)) : nil,
            correlation: random.chance(1, in: 2) ? bytes(&random) : nil,
            replyTo: random.chance(1, in: 2) ? text(&random) : nil
        )
        let message = Message(
            topic: random.topic(),
            qos: random.pick([.atMostOnce, .atLeastOnce]),
            isRetained: random.chance(1, in: 2)
        )
        let time = random.chance(1, in: 2) ? Timestamp(nanoseconds: Int64(random.below(1 << 60))) : nil
        let event = Event(
            id: EventID(source: text(&random), tag: text(&random)),
            name: EventName(segments: [random.level(), random.level()]) ?? "e",
            payload: Payload(bytes(&random)),
            time: time ?? .now,
            origin: EventOrigin(
                bus: text(&random),
                hops: random.below(5),
                isReplayed: message.isRetained && random.chance(1, in: 2)
            ),
            attributes: attributes
        )
        let record = RecordCodec.inbound(event, message, route: route, listeners: ["a"], eventTime: time, now: 7)
        let read = RecordCodec.event(record, link: "l", context: context)
        #expect(read.id == event.id)
        #expect(read.name == event.name)
        #expect(read.payload == event.payload)
        #expect(read.attributes == attributes)
        #expect(read.time.nanoseconds == time?.nanoseconds ?? 7)
        #expect(read.origin.bus == event.origin.bus)
        #expect(read.origin.hops == event.origin.hops)
        #expect(read.origin.isReplayed == event.origin.isReplayed)
        let mqtt = try #require(read.mqtt)
        #expect((mqtt.broker, mqtt.link, mqtt.topic, mqtt.route) == ("b", "l", message.topic, "r"))
        #expect((mqtt.qos, mqtt.isRetained) == (message.qos, message.isRetained))
    }

    @Test("details that are as usual take no room")
    func usual() {
        #expect(RecordDetails(MessageProperties()).encoded == "")
        #expect(RecordDetails(encoded: "").properties == MessageProperties())
    }

    @Test(
        "details that cannot be read are as usual",
        arguments: ["{", "null", "[]", "{\"hops\":\"many\"}", "{\"correlation\":\"%\"}", "\u{0}"]
    )
    func unreadable(text: String) {
        #expect(RecordDetails(encoded: text).encoded == "")
        #expect(RecordDetails(encoded: text).attributes == EventAttributes())
    }

    @Test("members of a later version, and headers that are no pairs, do no harm")
    func foreign() {
        let details = RecordDetails(encoded: "{\"later\":1,\"hops\":2,\"headers\":[[\"a\"],[\"b\",\"c\"]]}")
        #expect(details.hops == 2)
        #expect(details.attributes.headers == [.init("b", "c")])
    }

    @Test("the earlier of the route's and the message's expiry counts, and an absurd one is never")
    func expiry() {
        func expires(_ route: Duration?, _ own: Duration?, now: Int64 = 100) -> Int64? {
            let event = Event(
                id: EventID(source: "s", tag: "1"),
                name: "e",
                payload: "",
                origin: EventOrigin(bus: "b"),
                attributes: EventAttributes(timeToLive: own)
            )
            let route = Route("t", "e", timeToLive: route)
            return RecordCodec.outbound(event, Message(topic: "t"), route: route, now: now).expires
        }
        #expect(expires(nil, nil) == nil)
        #expect(expires(.nanoseconds(5), nil) == 105)
        #expect(expires(.nanoseconds(5), .nanoseconds(3)) == 103)
        #expect(expires(.nanoseconds(5), .nanoseconds(9)) == 105)
        #expect(expires(.seconds(Int64.max), nil, now: .max / 2 + 2) == .max)
    }

    @Test("a dead letter that is run again is for the listener that failed, with all that it had")
    func replay() throws {
        let record = InboundRecord(
            sequence: 1,
            route: "r",
            broker: "b",
            topic: "t",
            event: "e",
            source: "s",
            tag: "1",
            payload: [1],
            details: "{\"hops\":2}",
            time: 5,
            expires: 9,
            listeners: ["one", "two"]
        )
        let letter = DeadLetter(record, listener: "two", error: "it failed\u{1b}[2J", attempts: 3, died: 8)
        #expect(!letter.error.contains("\u{1b}"))
        #expect((letter.listener, letter.attempts, letter.time, letter.died) == ("two", 3, 5, 8))
        let again = InboundRecord(letter, try #require(letter.payload), sequence: 20, now: 30)
        #expect(again.listeners == ["two"])
        #expect((again.sequence, again.time, again.expires) == (20, 30, nil))
        #expect((again.event, again.source, again.tag, again.details) == ("e", "s", "1", record.details))

        let outbound = OutboundRecord(
            sequence: 1,
            route: "r",
            broker: "b",
            topic: "t",
            event: "e",
            source: "s",
            tag: "1",
            payload: [1],
            details: "{\"hops\":2}",
            qos: 2,
            isRetained: true,
            time: 5
        )
        let refused = DeadLetter(outbound, error: "refused", attempts: 1, died: 8)
        let second = OutboundRecord(refused, try #require(refused.payload), sequence: 20, now: 30)
        #expect((second.qos, second.isRetained, second.tag) == (2, true, "1"))
        #expect(second.details == outbound.details)
    }
}
