/// A message of the test: the `number`-th of its key. A key stands for one topic, within which order is promised.
package struct TestMessage: Hashable, Sendable {
    /// The prefix of payloads that are in no ledger and are counted separately.
    static let foreign = "foreign "

    /// The number of the topic.
    package var key: Int
    /// The position among the messages of the key, from 0.
    package var number: Int

    /// Creates a message.
    package init(key: Int, number: Int) {
        self.key = key
        self.number = number
    }

    /// Returns the payload, padded to `size` bytes with text that the key and the number determine.
    ///
    /// It is longer than `size` if the key and the number alone are.
    package func payload(size: Int = 0) -> String {
        let head = "\(key):\(number)"
        guard head.utf8.count < size else { return head }
        let letter = Character(UnicodeScalar(UInt8(ascii: "a") + UInt8((key &* 7 &+ number) % 26)))
        return head + " " + String(repeating: letter, count: size - head.utf8.count - 1)
    }

    /// Parses a payload; nil if no test message can have it, for example if it is damaged.
    package init?(payload: String) {
        let head = payload.utf8.prefix { $0 != UInt8(ascii: " ") }
        let parts = head.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count == 2, let key = Int(String(parts[0]) ?? ""), let number = Int(String(parts[1]) ?? ""),
            key >= 0, number >= 0
        else { return nil }
        self.init(key: key, number: number)
        guard self.payload(size: payload.utf8.count) == payload else { return nil }
    }
}
