import Testing

@testable import Mosquitto

@Suite("Message")
struct MessageTests {
    private static let received = Message(
        TopicCache().topic("a/b"),
        payload: [1],
        qos: .atLeastOnce,
        isRetained: true,
        properties: MessageProperties(contentType: "text/plain")
    )

    @Test("one that was received equals one that was made, with the same hash")
    func equality() {
        let properties = MessageProperties(contentType: "text/plain")
        let made = Message(topic: "a/b", payload: [1], qos: .atLeastOnce, isRetained: true, properties: properties)
        #expect(Self.received == made && Self.received.hashValue == made.hashValue)
        #expect(Set([Self.received, made]).count == 1)
    }

    @Test("another value of any part makes another message")
    func difference() {
        let changes: [(inout Message) -> Void] = [
            { $0.topic = "a/c" }, { $0.payload = [2] }, { $0.qos = .exactlyOnce }, { $0.isRetained = false },
            { $0.properties.contentType = "text/html" }, { $0.properties = MessageProperties() },
        ]
        for change in changes {
            var message = Self.received
            change(&message)
            #expect(message != Self.received)
        }
        let (known, size) = (TopicCache().topic("a"), 9)
        let large = Message(known, payload: [], qos: .atMostOnce, isRetained: false, omittedPayloadSize: size)
        #expect(large != Message(known, payload: [], qos: .atMostOnce, isRetained: false))
    }

    @Test("what is remembered of a topic is forgotten with it")
    func topic() {
        var message = Self.received
        #expect(message.topic == "a/b" && message.knownTopic != nil)
        message.topic = "c"
        #expect(message.topic == "c" && message.knownTopic == nil)
    }

    @Test("is plain where MQTT 5 says nothing about it and its payload is there")
    func plainness() {
        var message = Message(topic: "a", properties: MessageProperties(isText: true))
        #expect(!message.isPlain)
        message.properties.isText = false
        #expect(message.isPlain)
        message.properties.userProperties = [.init("name", "value")]
        #expect(!message.isPlain)
        let known = TopicCache().topic("a")
        #expect(Message(known, payload: [], qos: .atMostOnce, isRetained: false).isPlain)
        #expect(!Message(known, payload: [], qos: .atMostOnce, isRetained: false, omittedPayloadSize: 9).isPlain)
    }
}
