/// The origin of the events that are emitted on one bus.
///
/// Replaces the object from time to time: emitters retain it and listeners release it, so a single object would move
/// between the caches of their processors with each event.
struct OwnOrigins: Sendable {
    private let source: String
    private var current: EventOrigin
    private var uses = 0

    init(source: String) {
        self.source = source
        current = EventOrigin(bus: source)
    }

    mutating func next() -> EventOrigin {
        uses += 1
        if uses % 256 == 0 { current = EventOrigin(bus: source) }
        return current
    }
}
