/// A topic that has occurred before. Its text exists once, and the delegate can attach what it knows about the topic.
// SAFETY: `note` is touched on the client's thread only, by the delegate while it is handed messages.
package final class KnownTopic: @unchecked Sendable {
    package let text: String

    /// The delegate's note; nil if there is none. The topic cache may evict the topic, and the note with it.
    package var note: AnyObject? {
        get { noted }
        set { noted = newValue }
    }

    // Private, so that the compiler sees all accesses and omits the run-time exclusivity checks.
    private var noted: AnyObject?

    init(_ text: String) {
        self.text = text
    }
}
