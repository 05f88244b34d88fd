/// One message of the test: the `number`-th of its key. A key is one topic, within which order is promised.
package struct TestMessage: Hashable, Sendable {
    /// What payloads begin with that are no messages of the test, and are counted apart.
    static let foreign = "foreign "

    /// Which topic.
    package var key: Int
    /// Its place among the messages of the key, from 0.
    package var number: Int

    /// A message.
    package init(key: Int, number: Int) {
        self.key = key
        self.number = number
    }

    /// The payload, filled up to `size` bytes with text that the key and the number determine.
    ///
    /// Longer than `size` where the key and the number alone are.
    package func payload(size: Int = 0) -> String {
        let head = "\(key):\(number)"
        guard head.utf8.count < size else { return head }
        let letter = Character(UnicodeScalar(UInt8(ascii: "a") + UInt8((key &* 7 &+ number) % 26)))
        return head + " " + String(repeating: letter, count: size - head.utf8.count - 1)
    }

    /// Reads a payload; nil for one that no message of the test can have, such as a damaged one.
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
