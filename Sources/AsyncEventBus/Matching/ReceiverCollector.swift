/// Collects the receivers that a look-up finds, without duplicates and in the order of discovery. Pure.
struct ReceiverCollector {
    /// Up to this count a linear search is faster than a set.
    private static let linearSearchLimit = 16

    private(set) var sinks: [any EventSink] = []
    private(set) var transports: [any EventTransport] = []
    /// The collected receivers; empty up to ``linearSearchLimit``.
    private var known: Set<ObjectIdentifier> = []

    private var count: Int { sinks.count + transports.count }

    /// Adds the receivers of one pattern, which have no duplicates among themselves.
    mutating func add(_ receivers: [Receiver]) {
        guard count > 0 else {
            if receivers.count == 1, case .sink(let sink) = receivers[0].kind {
                sinks = [sink]
            } else {
                for receiver in receivers { append(receiver) }
            }
            return
        }
        for receiver in receivers where !contains(receiver.identity) { append(receiver) }
    }

    private mutating func append(_ receiver: Receiver) {
        switch receiver.kind {
        case .sink(let sink): sinks.append(sink)
        case .transport(let transport): transports.append(transport)
        }
        if !known.isEmpty { known.insert(receiver.identity) }
    }

    private mutating func contains(_ identity: ObjectIdentifier) -> Bool {
        if count > Self.linearSearchLimit, known.isEmpty {
            known = Set(sinks.map { ObjectIdentifier($0) } + transports.map { ObjectIdentifier($0) })
        }
        guard known.isEmpty else { return known.contains(identity) }
        return sinks.contains { ObjectIdentifier($0) == identity }
            || transports.contains { ObjectIdentifier($0) == identity }
    }

    /// Moves immediate sinks behind the others: the events that they emit in response must not reach another sink before
    /// the event itself. Call it when all receivers are collected.
    mutating func moveImmediateSinksLast() {
        guard sinks.contains(where: \.isImmediate) else { return }
        sinks = sinks.filter { !$0.isImmediate } + sinks.filter(\.isImmediate)
    }

    /// Depends on the receivers and their order.
    var hash: UInt64 {
        var hash = UInt64(truncatingIfNeeded: sinks.count)
        for sink in sinks { Self.mix(ObjectIdentifier(sink), into: &hash) }
        for transport in transports { Self.mix(ObjectIdentifier(transport), into: &hash) }
        return hash
    }

    private static func mix(_ identity: ObjectIdentifier, into hash: inout UInt64) {
        hash = NameHash.mixed(hash ^ UInt64(UInt(bitPattern: identity)))
    }

    /// Whether `receivers` has the same members in the same order.
    func hasMembers(of receivers: Receivers) -> Bool {
        sinks.elementsEqual(receivers.sinks) { $0 === $1 }
            && transports.elementsEqual(receivers.transports) { $0 === $1 }
    }
}
