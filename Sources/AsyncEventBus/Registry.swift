/// Where the events of one name go: looked up once a name, then kept.
final class Targets: Sendable {
    let inboxes: [any Inbox]
    /// The inboxes of named listeners.
    let named: [NamedInbox]
    /// The other inboxes.
    let unnamed: [any Inbox]
    let relays: [any EventRelay]
    /// Whether anybody but named listeners is there.
    var hasOthers: Bool { !unnamed.isEmpty || !relays.isEmpty }

    init(inboxes: [any Inbox], relays: [any EventRelay]) {
        self.inboxes = inboxes
        self.relays = relays
        named = inboxes.compactMap { ($0 as? Mailbox)?.asNamed }
        unnamed = named.isEmpty ? inboxes : inboxes.filter { ($0 as? Mailbox)?.asNamed == nil }
    }
}

/// Who wants what on a bus. Pure but for the objects that it names.
struct Registry: Sendable {
    /// One receiver; equal when it is the same object.
    enum Target: Hashable, Sendable {
        case inbox(any Inbox)
        case relay(any EventRelay)

        static func == (left: Target, right: Target) -> Bool {
            switch (left, right) {
            case (.inbox(let left), .inbox(let right)): left === right
            case (.relay(let left), .relay(let right)): left === right
            default: false
            }
        }

        func hash(into hasher: inout Hasher) {
            switch self {
            case .inbox(let inbox): hasher.combine(ObjectIdentifier(inbox))
            case .relay(let relay): hasher.combine(ObjectIdentifier(relay))
            }
        }
    }

    /// Tells registries apart.
    final class Identity: Sendable {}

    private struct Registration {
        let mailbox: Mailbox
        var patterns: Set<EventPattern> = []
    }

    /// Names whose targets are kept. When there are more, all are forgotten and looked up again.
    private static let cacheLimit = 8_192
    /// Longer names are looked up each time: who sends many must not fill the memory. In bytes.
    private static let longestCached = 512

    private struct Latest {
        let name: EventName
        let targets: Targets
    }

    private static let latestCount = 64

    let identity = Identity()
    /// Grows with each change of who hears what.
    private(set) var version: UInt64 = 0
    private var index = PatternIndex<Target>()
    private var registrations: [Listener: Registration] = [:]
    private var cache: [EventName: Targets] = [:]
    /// Of the cache, what was looked up latest, by the low bits of the hash of the name.
    private var latest = [Latest?](repeating: nil, count: Self.latestCount)
    /// The targets of the names in the cache by who is in them: names that the same receivers hear share theirs.
    private var audiences: [[ObjectIdentifier]: Targets] = [:]

    /// The mailboxes of all listeners.
    var mailboxes: [Mailbox] { registrations.values.map(\.mailbox) }

    func mailbox(of listener: Listener) -> Mailbox? { registrations[listener]?.mailbox }

    mutating func add(_ listener: Listener, to pattern: EventPattern, makeMailbox: () -> Mailbox) -> Bool {
        let mailbox = registrations[listener]?.mailbox ?? makeMailbox()
        let isNew = registrations[listener, default: Registration(mailbox: mailbox)].patterns.insert(pattern).inserted
        if isNew { add(.inbox(mailbox), to: pattern) }
        return isNew
    }

    /// Returns whether the listener was there, and its mailbox if this was its last pattern.
    mutating func remove(_ listener: Listener, from pattern: EventPattern) -> (removed: Bool, closing: Mailbox?) {
        guard var registration = registrations[listener], registration.patterns.remove(pattern) != nil else {
            return (false, nil)
        }
        remove(.inbox(registration.mailbox), from: pattern)
        registrations[listener] = registration.patterns.isEmpty ? nil : registration
        return (true, registration.patterns.isEmpty ? registration.mailbox : nil)
    }

    /// The patterns that a listener is on.
    func patterns(of listener: Listener) -> Set<EventPattern> { registrations[listener]?.patterns ?? [] }

    mutating func add(_ target: Target, to pattern: EventPattern) {
        if index.insert(target, for: pattern) { changed() }
    }

    mutating func remove(_ target: Target, from pattern: EventPattern) {
        if index.remove(target, for: pattern) { changed() }
    }

    /// A place for events of that name.
    mutating func destination(for name: EventName) -> Destination {
        Destination(name: name, owner: identity, targets: targets(for: name), version: version)
    }

    private mutating func changed() {
        version += 1
        forget()
    }

    private mutating func forget() {
        cache.removeAll(keepingCapacity: true)
        audiences.removeAll(keepingCapacity: true)
        for position in latest.indices { latest[position] = nil }
    }

    mutating func targets(for name: EventName) -> Targets {
        let position = Int(truncatingIfNeeded: name.bytesHash) & (Self.latestCount - 1)
        if let latest = latest[position], latest.name == name { return latest.targets }
        let targets = cache[name] ?? lookUp(name)
        if name.text.utf8.count <= Self.longestCached { latest[position] = Latest(name: name, targets: targets) }
        return targets
    }

    private mutating func lookUp(_ name: EventName) -> Targets {
        var inboxes: [any Inbox] = []
        var relays: [any EventRelay] = []
        var seen: Set<ObjectIdentifier> = []
        for target in index.values(matching: name) {
            switch target {
            case .inbox(let inbox): if seen.insert(ObjectIdentifier(inbox)).inserted { inboxes.append(inbox) }
            case .relay(let relay): if seen.insert(ObjectIdentifier(relay)).inserted { relays.append(relay) }
            }
        }
        let audience = inboxes.map { ObjectIdentifier($0) } + relays.map { ObjectIdentifier($0) }
        let targets = audiences[audience] ?? Targets(inboxes: inboxes, relays: relays)
        guard name.text.utf8.count <= Self.longestCached else { return targets }
        if cache.count >= Self.cacheLimit { forget() }
        audiences[audience] = targets
        cache[name] = targets
        return targets
    }
}
