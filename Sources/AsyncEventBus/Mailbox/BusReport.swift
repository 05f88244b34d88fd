/// A report on a receiver, which the bus emits as an event whose name begins with `$bus.`.
enum BusReport: Sendable {
    case failed(listener: String, event: Event, error: String, isTimeout: Bool)
    /// `number` events found no room; `event` is one of them. `total` counts all dropped events, and is nil unless an
    /// overflow begins: only its beginning is emitted.
    case dropped(receiver: String, event: Event, number: Int, total: UInt64?)
}
