import Testing

@testable import Mosquitto

@Suite("InFlightWindow")
struct InFlightWindowTests {
    @Test("there is room for as many messages as the limit says", arguments: [QoS.atLeastOnce, .exactlyOnce])
    func limit(qos: QoS) {
        var window = InFlightWindow(limit: 3)
        for packetID in 1...3 {
            #expect(window.room == 4 - packetID)
            window.sent(.numbered(packetID, qos: qos), packetID: Int32(packetID))
        }
        #expect(window.room == 0)
        #expect(window.completed(packetID: 2)?.number == 2)
        #expect(window.room == 1)
    }

    @Test("in MQTT 3.1.1 at most 20 messages at QoS 2 are in flight, as many as mosquitto keeps")
    func exactlyOnceBefore5() {
        var window = InFlightWindow(limit: 100, version: .v3_1_1)
        for packetID in 1...20 {
            #expect(window.hasRoom(for: .exactlyOnce))
            window.sent(.numbered(packetID, qos: .exactlyOnce), packetID: Int32(packetID))
        }
        #expect(!window.hasRoom(for: .exactlyOnce))
        #expect(window.hasRoom(for: .atLeastOnce))
        #expect(window.room == 80)
        #expect(window.completed(packetID: 7) != nil)
        #expect(window.exactlyOnceRoom == 1)
        _ = window.lost()
        #expect(window.exactlyOnceRoom == 20)
        #expect(InFlightWindow(limit: 100, version: .v5).exactlyOnceRoom == 100)
        #expect(InFlightWindow(limit: 3, version: .v3_1_1).exactlyOnceRoom == 3)
    }

    @Test("what is not acknowledged takes no place of the limit, and is bounded by a limit of its own")
    func unacknowledged() {
        var window = InFlightWindow(limit: 2)
        for packetID in 1..<InFlightWindow.unacknowledgedLimit {
            window.sent(.numbered(packetID, qos: .atMostOnce), packetID: Int32(packetID))
            #expect(window.room == min(2, InFlightWindow.unacknowledgedLimit - packetID))
        }
        window.sent(.numbered(0, qos: .atMostOnce), packetID: 0)
        #expect(window.room == 0)
    }

    @Test("an unknown or repeated acknowledgement is nobody's")
    func unknown() {
        var window = InFlightWindow(limit: 2)
        window.sent(.numbered(1), packetID: 1)
        #expect(window.completed(packetID: 9) == nil)
        #expect(window.completed(packetID: 1) != nil)
        #expect(window.completed(packetID: 1) == nil)
        #expect(window.room == 2)
        #expect(window.isEmpty)
    }

    @Test("what was under way when the connection was lost comes back in the order in which it was sent")
    func lost() {
        var window = InFlightWindow(limit: 100)
        let packetIDs: [Int32] = [65_534, 65_535, 1, 2, 3]
        for (number, packetID) in packetIDs.enumerated() {
            window.sent(.numbered(number, qos: number == 3 ? .atMostOnce : .atLeastOnce), packetID: packetID)
        }
        _ = window.completed(packetID: 1)
        #expect(window.lost().map(\.number) == [0, 1, 3, 4])
        #expect(window.isEmpty)
        #expect(window.room == 100)
    }

    @Test("the answer to a state that a message on its topic follows is named, and no other")
    func answersToStates() throws {
        var window = InFlightWindow(limit: 100)
        for (packetID, topic) in ["a", "b", "c", "d"].enumerated() {
            let message = Message(topic: topic, qos: .atLeastOnce, isRetained: topic != "c")
            window.sent(try Publication(checked: message, completion: nil), packetID: Int32(packetID))
        }
        let messages = ["b", "a", "c", "a"].map { Message(topic: $0) }
        func named(_ answers: [(Int32, position: Int)]) -> [Int] {
            window.answersToStates(
                answers.map { .init(packetID: $0.0, reason: .success, position: $0.position) },
                before: messages
            )
        }
        // "b" comes before its answer, "c" is no state, on "d" there is nothing, 9 is not ours.
        #expect(named([(0, 0), (1, 1), (2, 1), (3, 1), (9, 1), (0, 3)]) == [0, 5])
        #expect(named([(0, 4)]).isEmpty)
        for packetID in [0, 1, 3] as [Int32] { _ = window.completed(packetID: packetID) }
        #expect(named([(2, 0)]).isEmpty)
    }
}
