/// What a bus tells about its sinks, as events whose names begin with `$bus.`.
enum BusReport: Sendable {
    case failed(listener: String, event: Event, error: String, isTimeout: Bool)
    /// So many events found no room, that one among them. `total` counts all, and is nil where that is not to be told: only
    /// the beginning of an overflow is.
    case dropped(receiver: String, event: Event, number: Int, total: UInt64?)
}
