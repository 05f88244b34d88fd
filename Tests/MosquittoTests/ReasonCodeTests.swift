import Testing

@testable import Mosquitto

@Suite("ReasonCode")
struct ReasonCodeTests {
    @Test(
        "below 0x80 is no refusal",
        arguments: [(0x00, true), (0x02, true), (0x10, true), (0x7F, true), (0x80, false), (0xFF, false)]
    )
    func isSuccess(byte: UInt8, expected: Bool) {
        #expect(ReasonCode(rawValue: byte).isSuccess == expected)
    }

    @Test(
        "a return code of MQTT 3.1.1 becomes the code of MQTT 5 that means the same",
        arguments: [(0, 0x00), (1, 0x84), (2, 0x85), (3, 0x88), (4, 0x86), (5, 0x87), (6, 0x06)] as [(UInt8, UInt8)]
    )
    func connectReturnCode(code: UInt8, expected: UInt8) {
        #expect(ReasonCode(connectReturnCode: code).rawValue == expected)
    }

    @Test(
        "it shows its name and its byte",
        arguments: [
            (ReasonCode.success, "success (0x00)"), (.notAuthorized, "not authorized (0x87)"),
            (ReasonCode(rawValue: 0x05), "unknown reason (0x05)"),
            (ReasonCode(rawValue: 0xFF), "unknown reason (0xFF)"),
        ]
    )
    func description(code: ReasonCode, expected: String) {
        #expect(code.description == expected)
    }

    @Test("a subscription that was granted has a QoS, and one that was refused has none")
    func grantedQoS() {
        let request = SubscriptionRequest("a")
        let granted = [0, 1, 2, 3, 0x80, 0x87].map {
            SubscriptionResult(request: request, reason: ReasonCode(rawValue: $0)).grantedQoS
        }
        #expect(granted == [.atMostOnce, .atLeastOnce, .exactlyOnce, nil, nil, nil])
    }

    @Test("the levels of QoS are ordered by how hard they try")
    func order() {
        #expect(QoS.allCases.sorted() == [.atMostOnce, .atLeastOnce, .exactlyOnce])
    }
}
