/// A topic on which messages have come before: its text was made once, and whoever handles them can keep a note of what
/// it found out about the topic.
// SAFETY: `note` is touched on the client's thread only, by the delegate while it is handed messages.
package final class KnownTopic: @unchecked Sendable {
    /// The topic.
    package let text: String

    /// What the delegate has noted; nothing, when the topic was not kept.
    package var note: AnyObject? {
        get { noted }
        set { noted = newValue }
    }

    // Private: the compiler sees all that touches it, and need not check for conflicts when the program runs.
    private var noted: AnyObject?

    init(_ text: String) {
        self.text = text
    }
}
