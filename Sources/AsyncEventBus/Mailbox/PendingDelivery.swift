/// What a bus hands to an sink: an event, and who wants to know what became of it.
struct PendingDelivery: Sized {
    /// What few deliveries have, kept apart so that the others are small.
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

    /// Who follows the delivery.
    var tracker: (any DeliveryTracker)? { extra?.tracker }

    /// Whether the mailbox must keep it, however full it is.
    var isKept: Bool { extra?.tracker != nil }

    /// Whether nobody wants to know what becomes of it.
    var isPlain: Bool { receipt == nil && extra == nil }

    /// How long the delivery rested before this attempt; nil before the first one.
    var pause: Duration? { extra?.pause }

    /// Makes it the next attempt, after a pause.
    mutating func tryAgain(after pause: Duration) {
        event = event.attempt(event.attempt + 1)
        extra = Extra(tracker: tracker, pause: pause)
    }

    /// Tells that it will not be delivered.
    func discard() {
        receipt?.didDiscard()
        tracker?.ended(.removed)
    }
}
