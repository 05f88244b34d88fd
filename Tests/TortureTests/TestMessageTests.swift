import Testing
import Torture

@Suite("TestMessage")
struct TestMessageTests {
    @Test("a payload is read back as the message that it was made for", arguments: [0, 3, 8, 9, 64, 5_000])
    func roundTrip(size: Int) {
        let testMessage = TestMessage(key: 3, number: 12_345)
        let payload = testMessage.payload(size: size)
        #expect(payload.utf8.count == max(7, size))
        #expect(TestMessage(payload: payload) == testMessage)
    }

    @Test("a payload with one changed byte is nobody's, or another message's")
    func damage() {
        let testMessage = TestMessage(key: 3, number: 12_345)
        let bytes = Array(testMessage.payload(size: 100).utf8)
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] ^= 0x01
            #expect(TestMessage(payload: String(decoding: damaged, as: UTF8.self)) != testMessage, "byte \(index)")
        }
    }

    @Test(
        "what is no payload of the test is refused",
        arguments: ["", ":", "1", "1:", ":1", "-1:2", "1:2:3", "a:b", "1:2 zzz"]
    )
    func refused(text: String) {
        #expect(TestMessage(payload: text) == nil)
    }
}
