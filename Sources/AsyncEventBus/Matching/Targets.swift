/// Where the events of one name go: looked up once a name, then kept.
final class Targets: Sendable {
    let inboxes: [any Inbox]
    /// The inboxes of named listeners.
    let named: [NamedMailbox]
    /// The other inboxes.
    let unnamed: [any Inbox]
    let transports: [any EventTransport]
    /// Whether anybody but named listeners is there.
    var hasOthers: Bool { !unnamed.isEmpty || !transports.isEmpty }

    init(inboxes: [any Inbox], transports: [any EventTransport]) {
        self.inboxes = inboxes
        self.transports = transports
        named = inboxes.compactMap(\.asNamed)
        unnamed = named.isEmpty ? inboxes : inboxes.filter { $0.asNamed == nil }
    }
}

/// The receivers that a look-up finds, each of them once, in the order in which they are found, immediate ones behind the
/// others: what they emit when they hear an event must not reach others before the event does. Pure.
struct Audience {
    /// Up to so many are searched one by one.
    private static let few = 16

    private(set) var inboxes: [any Inbox] = []
    private(set) var transports: [any EventTransport] = []
    /// Those that are there, where they are many.
    private var known: Set<ObjectIdentifier> = []

    private var count: Int { inboxes.count + transports.count }

    /// Adds the receivers of a pattern, among whom there are no two the same.
    mutating func add(_ targets: [Registry.Target]) {
        guard count > 0 else {
            if targets.count == 1, case .inbox(let inbox) = targets[0].receiver {
                inboxes = [inbox]
            } else {
                for target in targets { append(target) }
            }
            return
        }
        for target in targets where !contains(target.identity) { append(target) }
    }

    private mutating func append(_ target: Registry.Target) {
        switch target.receiver {
        case .inbox(let inbox): inboxes.append(inbox)
        case .transport(let transport): transports.append(transport)
        }
        if !known.isEmpty { known.insert(target.identity) }
    }

    private mutating func contains(_ identity: ObjectIdentifier) -> Bool {
        if count > Self.few, known.isEmpty {
            known = Set(inboxes.map { ObjectIdentifier($0) } + transports.map { ObjectIdentifier($0) })
        }
        guard known.isEmpty else { return known.contains(identity) }
        return inboxes.contains { ObjectIdentifier($0) == identity }
            || transports.contains { ObjectIdentifier($0) == identity }
    }

    /// Puts those that are immediate behind the others, when all are found.
    mutating func settle() {
        guard inboxes.contains(where: \.isImmediate) else { return }
        inboxes = inboxes.filter { !$0.isImmediate } + inboxes.filter(\.isImmediate)
    }

    /// The same for the same receivers in the same order; for others, nearly always another.
    var hash: UInt64 {
        var hash = UInt64(truncatingIfNeeded: inboxes.count)
        for inbox in inboxes { Self.mix(ObjectIdentifier(inbox), into: &hash) }
        for transport in transports { Self.mix(ObjectIdentifier(transport), into: &hash) }
        return hash
    }

    private static func mix(_ identity: ObjectIdentifier, into hash: inout UInt64) {
        hash = NameHash.mixed(hash ^ UInt64(UInt(bitPattern: identity)))
    }

    /// Whether these are the receivers of targets, in their order.
    func isThat(of targets: Targets) -> Bool {
        inboxes.elementsEqual(targets.inboxes) { $0 === $1 }
            && transports.elementsEqual(targets.transports) { $0 === $1 }
    }
}
