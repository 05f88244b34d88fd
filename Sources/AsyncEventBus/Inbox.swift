/// What a bus hands to an inbox: an event, and the receipt that wants to know what became of it.
struct Parcel: Sendable {
    let event: Event
    let receipt: Receipt?
}

/// Where the bus puts events for one receiver.
protocol Inbox: AnyObject, Sendable {
    /// Takes a parcel or discards it by its policy. Never blocks.
    func offer(_ parcel: Parcel)

    /// Takes a parcel as soon as there is room.
    func send(_ parcel: Parcel) async throws
}

/// What a bus tells about its inboxes, as events whose names begin with `$bus.`.
enum BusReport: Sendable {
    case failed(listener: String, event: Event, error: String, isTimeout: Bool)
    case dropped(receiver: String, event: Event, total: UInt64)
}
