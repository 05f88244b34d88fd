/// A topic on which messages have come before: its text was made once, and whoever handles them can keep a note of what
/// it found out about the topic.
// SAFETY: `note` is touched on the client's thread only, by the delegate while it is handed messages.
package final class KnownTopic: @unchecked Sendable {
    /// The topic.
    package let text: String

    /// What the delegate has noted; nothing, when the topic was not kept.
    package var note: AnyObject?

    init(_ text: String) {
        self.text = text
    }
}

/// The topic of a received message, if it is known. Plays no part in comparing messages.
package struct TopicMemory: Sendable, Hashable {
    /// The topic; nil for messages that were not received.
    package var topic: KnownTopic?

    /// All are equal.
    package static func == (left: TopicMemory, right: TopicMemory) -> Bool { true }

    /// Adds nothing.
    package func hash(into hasher: inout Hasher) {}
}
