import Mosquitto
import Testing

@testable import MQTTBridge

@Suite("Publish rule")
struct RefusalPolicyTests {
    private func verdict(_ code: ClientError.Code, _ reason: ReasonCode? = nil, _ attempts: Int = 1)
        -> RefusalPolicy.Verdict
    {
        RefusalPolicy.verdict(ClientError(code, operation: "publish", reason: reason), attempts: attempts)
    }

    @Test("what the end of the process interrupts stays for the next one")
    func keep() { #expect(verdict(.notRunning, nil, 100) == .keep) }

    @Test("a queue that is full just now is tried again soon, however often")
    func queueFull() { #expect(verdict(.queueFull, nil, 100) == .retry(after: .milliseconds(100))) }

    @Test(
        "a refusal that depends on the broker is tried again, later and later, and given up in the end",
        arguments: [
            ReasonCode.unspecifiedError, .implementationSpecificError, .serverBusy, .serverUnavailable, .quotaExceeded,
            .receiveMaximumExceeded, .messageRateTooHigh,
        ]
    )
    func retried(reason: ReasonCode) throws {
        var longest: [Duration] = []
        for attempts in 1..<RefusalPolicy.attempts {
            guard case .retry(let pause) = verdict(.rejected, reason, attempts) else {
                Issue.record("given up at attempt \(attempts)")
                return
            }
            let middle = min(.seconds(30), .milliseconds(500) * (1 << (attempts - 1)))
            #expect(pause >= middle * 0.75 && pause <= middle * 1.25)
            longest.append(pause)
        }
        #expect(verdict(.rejected, reason, RefusalPolicy.attempts) == .giveUp)
        #expect(try #require(longest.last) > #require(longest.first) * 10)
    }

    @Test("a refusal that depends on the message is final at once")
    func final() {
        #expect(verdict(.notAuthorized, .notAuthorized) == .giveUp)
        #expect(verdict(.rejected, .topicNameInvalid) == .giveUp)
        #expect(verdict(.rejected, .packetTooLarge) == .giveUp)
        #expect(verdict(.rejected, nil) == .giveUp)
        #expect(verdict(.invalidTopic) == .giveUp)
        #expect(verdict(.tooLarge) == .giveUp)
    }
}
