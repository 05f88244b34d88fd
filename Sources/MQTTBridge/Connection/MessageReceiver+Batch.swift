import AsyncEventBus

extension MessageReceiver {
    /// The events and store changes that one batch of messages results in.
    struct Batch {
        /// The router of the whole batch.
        var router: OutboundRouter
        var intake = StoreWriter.ReceivedChanges()
        /// Events in the order of their messages. Events that are stored go only to listeners that are not durable from here.
        var events = EventBatch()
        /// The events to emit even if the store fails, since the broker does not send their messages again.
        var unrepeated = EventBatch()
        /// The identities of first copies, to be forgotten if the batch is not stored.
        var identities: [LoopGuard.InboundEvent] = []
        /// The outcome of the commit, for other receivers; nil if the batch stores no identities.
        var outcome: CommitOutcome?
        /// The commits of other brokers' batches that contain first copies of messages of this batch.
        var others: [CommitOutcome] = []
        /// The messages to store that the broker does not send again: their number, and the topic of the last one.
        var unrepeatable: (count: Int, topic: String) = (0, "")
        /// The events whose retained state is new, to be forgotten if the batch is not stored.
        var states: [EventName] = []
        /// The states that are about to be forwarded.
        var inFlight: [StateInFlight] = []
        /// The passage of the current message.
        var passage = StatePassage.none
        /// Whether the current message was retained before the bridge subscribed.
        var isReplay = false
        /// The name for responses that the response topic of the current message stands for.
        var replyName: EventName?
        var time = Timestamp.now

        init(_ router: OutboundRouter) {
            self.router = router
        }

        /// Empties the batch for reuse, and keeps its allocated storage.
        mutating func reset() {
            intake = StoreWriter.ReceivedChanges()
            events.removeAll()
            unrepeated.removeAll()
            identities.removeAll(keepingCapacity: true)
            outcome = nil
            others = []
            unrepeatable = (0, "")
            states.removeAll(keepingCapacity: true)
            for state in inFlight { state.end() }
            inFlight = []
        }
    }
}
