/// What a bus hands to an inbox: an event, and who wants to know what became of it.
struct Parcel: Sized {
    /// What few parcels have, kept apart so that the others are small.
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

    /// How long the parcel rested before this attempt; nil before the first one.
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

/// Where the bus puts events for one receiver.
protocol Inbox: AnyObject, Sendable {
    /// The inbox for transports, if it is that of a named listener.
    var asNamed: NamedMailbox? { get }

    /// Whether what it takes may be heard before it returns.
    var isImmediate: Bool { get }

    /// Takes a parcel or discards it by its policy. Never blocks.
    func offer(_ parcel: Parcel)

    /// Takes or discards parcels as if they were offered one after the other.
    func offer(contentsOf parcels: [Parcel])

    /// Takes a parcel as soon as there is room.
    func send(_ parcel: Parcel) async throws
}

/// What a bus tells about its inboxes, as events whose names begin with `$bus.`.
enum BusReport: Sendable {
    case failed(listener: String, event: Event, error: String, isTimeout: Bool)
    /// So many events found no room, that one among them. `total` counts all, and is nil where that is not to be told: only
    /// the beginning of an overflow is.
    case dropped(receiver: String, event: Event, number: Int, total: UInt64?)
}
