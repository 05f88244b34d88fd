/// The origin of the events that are emitted on one bus.
///
/// A new object now and then: emitters take references and listeners drop them, and one object for all events would go
/// to and fro between their processors with each.
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
