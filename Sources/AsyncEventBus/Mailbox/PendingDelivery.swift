/// An event for a sink, with the receipt and the tracker that follow it.
struct PendingDelivery: Sized {
    /// Fields that few deliveries need, kept apart so that other deliveries are small.
    private final class Extra: Sendable {
        let tracker: (any DeliveryTracker)?
        let pause: Duration?

        init(tracker: (any DeliveryTracker)?, pause: Duration?) {
            self.tracker = tracker
            self.pause = pause
        }
    }

    private(set) var event: Event
    let receipt: Receipt?
    private var extra: Extra?

    init(event: Event, receipt: Receipt?, tracker: (any DeliveryTracker)? = nil) {
        self.event = event
        self.receipt = receipt
        extra = tracker.map { Extra(tracker: $0, pause: nil) }
    }

    var size: Int { event.size }

    /// The tracker that follows the delivery.
    var tracker: (any DeliveryTracker)? { extra?.tracker }

    /// Whether the mailbox must keep the delivery, even if it is full.
    var isKept: Bool { extra?.tracker != nil }

    /// Whether neither receipt nor tracker follows the delivery, and it has not rested.
    var isPlain: Bool { receipt == nil && extra == nil }

    /// The pause before this attempt; nil for the first one.
    var pause: Duration? { extra?.pause }

    /// Turns the delivery into the next attempt, after a pause.
    mutating func tryAgain(after pause: Duration) {
        event = event.attempt(event.attempt + 1)
        extra = Extra(tracker: tracker, pause: pause)
    }

    /// Reports that the event will not be delivered.
    func discard() {
        receipt?.didDiscard()
        tracker?.ended(.removed)
    }
}
