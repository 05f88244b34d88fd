import MessageStore

/// The values that many inbound rows share: route, broker and listeners of a message, and the generation of the store
/// at its arrival.
struct Envelope {
    /// The number of the route's name.
    let routeNumber: Int64
    let route: String
    let broker: String
    let listeners: [String]
    let generation: Int64
}

/// A cache of the numbers of names and envelopes.
struct NameCache {
    /// The capacity for names and for envelopes. A full cache is cleared.
    private static let limit = 10_000

    private var numbers: [ExactName: Int64] = [:]
    private var names: [Int64: String] = [:]
    private var envelopes: [Int64: Envelope] = [:]
    /// By route, broker and listeners; only for the current generation.
    private var envelopeNumbers: [ExactNames: Int64] = [:]
    /// The envelope of the last message: the next message usually has the same.
    private var last: (number: Int64, envelope: Envelope)?

    func number(of name: String) -> Int64? { numbers[ExactName(name)] }
    func name(_ number: Int64) -> String? { names[number] }
    func envelope(_ number: Int64) -> Envelope? { envelopes[number] }

    /// Returns the number of the envelope for a new message; nil if it is not cached.
    mutating func envelopeNumber(of record: borrowing InboundRecord) -> Int64? {
        if let last, last.envelope.fits(record) { return last.number }
        guard let number = envelopeNumbers[ExactNames(record)], let envelope = envelopes[number] else { return nil }
        last = (number, envelope)
        return number
    }

    mutating func keep(_ name: String, _ number: Int64) {
        if names.count >= Self.limit { self = NameCache() }
        numbers[ExactName(name)] = number
        names[number] = name
    }

    /// - Parameter record: The new message with this envelope; nil for the envelope of an existing message.
    mutating func keep(_ envelope: Envelope, _ number: Int64, for record: InboundRecord? = nil) {
        if envelopes.count >= Self.limit { self = NameCache() }
        envelopes[number] = envelope
        guard let record else { return }
        envelopeNumbers[ExactNames(record)] = number
        last = (number, envelope)
    }

    /// A list of names that compares by bytes and order.
    private struct ExactNames: Hashable {
        var names: [String]

        init(_ record: borrowing InboundRecord) {
            names = [record.route, record.broker] + record.listeners
        }

        static func == (first: Self, second: Self) -> Bool {
            first.names.elementsEqual(second.names) { ExactName($0) == ExactName($1) }
        }

        func hash(into hasher: inout Hasher) {
            for name in names { ExactName(name).hash(into: &hasher) }
        }
    }
}

extension Envelope {
    fileprivate func fits(_ record: borrowing InboundRecord) -> Bool {
        guard ExactName(route) == ExactName(record.route), ExactName(broker) == ExactName(record.broker) else {
            return false
        }
        return listeners.elementsEqual(record.listeners) { ExactName($0) == ExactName($1) }
    }
}
