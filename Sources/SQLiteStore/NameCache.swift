import MessageStore

/// What inbound rows have in common: a message's route, broker and listeners, and how often the store had been recovered
/// when it came.
struct Envelope {
    /// The number of the route's name.
    let routeNumber: Int64
    let route: String
    let broker: String
    let audience: [String]
    let generation: Int64
}

/// The numbers of names and of envelopes that were used lately.
struct NameCache {
    /// So many of each are kept; then it begins anew.
    private static let limit = 10_000

    private var numbers: [ExactName: Int64] = [:]
    private var names: [Int64: String] = [:]
    private var envelopes: [Int64: Envelope] = [:]
    /// By route, broker and listeners; of one generation only.
    private var envelopeNumbers: [ExactNames: Int64] = [:]
    /// The one that was used last: mostly the next one is the same.
    private var last: (number: Int64, envelope: Envelope)?

    func number(of name: String) -> Int64? { numbers[ExactName(name)] }
    func name(_ number: Int64) -> String? { names[number] }
    func envelope(_ number: Int64) -> Envelope? { envelopes[number] }

    /// The number of the envelope that a message gets now.
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

    /// - Parameter record: The message that gets it; nil where it is of a message that came earlier.
    mutating func keep(_ envelope: Envelope, _ number: Int64, for record: InboundRecord? = nil) {
        if envelopes.count >= Self.limit { self = NameCache() }
        envelopes[number] = envelope
        guard let record else { return }
        envelopeNumbers[ExactNames(record)] = number
        last = (number, envelope)
    }

    /// Names whose bytes and order count.
    private struct ExactNames: Hashable {
        var names: [String]

        init(_ record: borrowing InboundRecord) {
            names = [record.route, record.broker] + record.audience
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
        return audience.elementsEqual(record.audience) { ExactName($0) == ExactName($1) }
    }
}
