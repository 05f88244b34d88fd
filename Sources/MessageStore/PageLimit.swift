/// Decides how many messages one answer holds.
package struct PageLimit: Sendable {
    private let limit: Int
    private var entries: Int
    private var bytes: Int

    /// At most so many entries, and no more than so many bytes but for the first entry.
    package init(entries: Int, bytes: Int) {
        limit = entries
        self.entries = entries
        self.bytes = bytes
    }

    /// Whether the next one, with a payload of so many bytes, still belongs to the answer. After a false, no other
    /// does.
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
