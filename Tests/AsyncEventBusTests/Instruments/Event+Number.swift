import AsyncEventBus

extension Payload {
    init(number: Int) { self.init(String(number)) }
}

extension Event {
    /// The number that the payload spells; -1 if it spells none.
    var number: Int { payload.text.flatMap { Int($0) } ?? -1 }
}
