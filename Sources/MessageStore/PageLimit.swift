/// Bounds a page of messages by entries and bytes.
package struct PageLimit: Sendable {
    /// The most payload bytes in a page of dead letters.
    package static let letterBytes = 8 * 1024 * 1024

    private let limit: Int
    private var entries: Int
    private var bytes: Int

    /// A page of at most `entries` entries and `bytes` bytes. The first entry may exceed `bytes`.
    package init(entries: Int, bytes: Int) {
        limit = entries
        self.entries = entries
        self.bytes = bytes
    }

    /// Whether the page still takes the next entry, with a payload of `payload` bytes. After the first refusal it takes
    /// none.
    package mutating func takes(_ payload: Int) -> Bool {
        guard entries > 0, payload <= bytes || entries == limit else {
            entries = 0
            return false
        }
        entries -= 1
        bytes -= payload
        return true
    }
}
