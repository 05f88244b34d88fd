import Mosquitto
import Testing

@testable import Simulation

@Suite("SimulatedBroker")
struct SimulatedBrokerTests {
    private static func message(_ topic: String) -> Message {
        var message = Message(topic: topic, payload: [1], qos: .atLeastOnce)
        message.properties.userProperties = [.init("bridgeid", "a/1")]
        return message
    }

    private static func session(_ filters: [SubscriptionRequest]) -> SimulatedBroker.Session {
        SimulatedBroker.Session(filters: Dictionary(uniqueKeysWithValues: filters.map { ($0.filter, $0) }))
    }

    @Test("a session gets a copy for each of its filters that match")
    func copies() {
        let broker = SimulatedBroker("broker")
        broker.sessions = ["x": Self.session([.init("a/+"), .init("a/1")]), "y": Self.session([.init("a/2")])]
        broker.publish(Self.message("a/1"))
        #expect(broker.sessions["x"]?.queue.count == 2)
        #expect(broker.sessions["y"]?.queue.isEmpty == true)
        #expect(!broker.isQuiet)
    }

    @Test("No Local keeps what a client publishes from it, and from nobody else")
    func noLocal() {
        let broker = SimulatedBroker("broker")
        broker.sessions = [
            "x": Self.session([.init("a", noLocal: true)]), "y": Self.session([.init("a", noLocal: true)]),
            "z": Self.session([.init("a")]),
        ]
        for publisher in ["x", "z"] { broker.publish(Self.message("a"), from: publisher) }
        #expect(["x", "y", "z"].map { broker.sessions[$0]?.queue.count } == [1, 2, 2])
        #expect(broker.log.map(\.identity) == ["a/1", "a/1"])
    }

    @Test("the last retained message of a topic is kept, and shown to each new subscription as such")
    func retained() {
        let broker = SimulatedBroker("broker")
        broker.sessions = ["x": Self.session([.init("a/+")])]
        for payload in [1, 2] as [UInt8] {
            broker.publish(Message(topic: "a/1", payload: [payload], qos: .atLeastOnce, isRetained: true))
        }
        broker.publish(Self.message("a/2"))
        broker.subscribe("y", [.init("a/+"), .init("b")])
        #expect(broker.sessions["x"]?.queue.map(\.isRetained) == [false, false, false])
        #expect(broker.sessions["y"]?.queue.map(\.payload) == [[2]])
        #expect(broker.sessions["y"]?.queue.first?.isRetained == true)
    }

    @Test("MQTT 3.1.1 carries no properties")
    func properties() {
        let message = Self.message("a")
        #expect(SimulatedBroker.message(message, in: .v5) == message)
        let plain = SimulatedBroker.message(message, in: .v3_1_1)
        #expect(plain == Message(topic: "a", payload: [1], qos: .atLeastOnce))
    }
}
