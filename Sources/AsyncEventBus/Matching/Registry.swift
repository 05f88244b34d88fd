/// Who wants what on a bus. Pure but for the objects that it names.
struct Registry: Sendable {
    /// One receiver; equal when it is the same object.
    struct Target: Hashable, Sendable {
        enum Receiver: Sendable {
            case inbox(any Inbox)
            case transport(any EventTransport)
        }

        let receiver: Receiver
        /// Those of names that nobody else hears.
        let alone: Targets

        init(_ inbox: any Inbox) {
            receiver = .inbox(inbox)
            alone = Targets(inboxes: [inbox], transports: [])
        }

        init(_ transport: any EventTransport) {
            receiver = .transport(transport)
            alone = Targets(inboxes: [], transports: [transport])
        }

        static func == (left: Target, right: Target) -> Bool { left.identity == right.identity }

        func hash(into hasher: inout Hasher) { hasher.combine(identity) }

        var identity: ObjectIdentifier {
            switch receiver {
            case .inbox(let inbox): ObjectIdentifier(inbox)
            case .transport(let transport): ObjectIdentifier(transport)
            }
        }
    }

    /// Tells registries apart.
    final class Identity: Sendable {}

    fileprivate struct Registration {
        /// Grows with each one.
        let number: UInt64
        let mailbox: any Mailbox
        let target: Target
        var patterns: Set<EventPattern> = []

        init(_ mailbox: any Mailbox, number: UInt64) {
            self.number = number
            self.mailbox = mailbox
            target = Target(mailbox)
        }
    }

    /// Targets that names may share, by the low bits of a hash of who is in them. A power of two.
    private static let audienceCount = 256

    let identity = Identity()
    /// Grows with each change of who hears what.
    private(set) var version: UInt64 = 0
    private var index = PatternIndex<Target>()
    private var registrations: [Listener: Registration] = [:]
    private var latestNumber: UInt64 = 0
    private var cache = NameCache()
    /// Names that the same receivers hear share their targets, as long as these are here.
    private var audiences = [Targets?](repeating: nil, count: Self.audienceCount)

    /// All listeners of a moment. To take it costs nothing, so that the rest happens outside the lock.
    struct Listeners {
        fileprivate let registrations: [Listener: Registration]

        /// The mailboxes, in the order in which their listeners came.
        var mailboxes: [any Mailbox] { registrations.values.sorted { $0.number < $1.number }.map(\.mailbox) }
    }

    var listeners: Listeners { Listeners(registrations: registrations) }

    func mailbox(of listener: Listener) -> (any Mailbox)? { registrations[listener]?.mailbox }

    mutating func add(_ listener: Listener, to pattern: EventPattern, makeMailbox: () -> any Mailbox) -> Bool {
        var registration = registrations[listener] ?? makeRegistration(makeMailbox())
        guard registration.patterns.insert(pattern).inserted else { return false }
        registrations[listener] = registration
        add(registration.target, to: pattern)
        return true
    }

    private mutating func makeRegistration(_ mailbox: any Mailbox) -> Registration {
        latestNumber += 1
        return Registration(mailbox, number: latestNumber)
    }

    /// Returns whether the listener was there, and its mailbox if this was its last pattern.
    mutating func remove(_ listener: Listener, from pattern: EventPattern) -> (removed: Bool, closing: (any Mailbox)?) {
        guard var registration = registrations[listener], registration.patterns.remove(pattern) != nil else {
            return (false, nil)
        }
        remove(registration.target, from: pattern)
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
    mutating func destination(for name: EventName) -> EventDestination {
        EventDestination(name: name, owner: identity, targets: targetsToKeep(for: name), version: version)
    }

    /// What is remembered here is of receivers that are here, so that it never holds the last reference to one: who removes
    /// a receiver keeps it until the lock is released.
    private mutating func changed() {
        version += 1
        cache = NameCache()
        for position in audiences.indices { audiences[position] = nil }
    }

    mutating func targets(for name: EventName) -> Targets {
        if let known = cache[name] { return known }
        let targets = lookUp(name)
        cache.note(targets, for: name)
        return targets
    }

    /// As ``targets(for:)``, for who remembers them, so that this does not.
    mutating func targetsToKeep(for name: EventName) -> Targets { cache[name] ?? lookUp(name) }

    private mutating func lookUp(_ name: EventName) -> Targets {
        let matches = index.matches(name)
        if let targets = index.withOnlyValue(of: matches, { $0.alone }) { return targets }
        var audience = Audience()
        index.eachPattern(of: matches) { audience.add($0) }
        audience.settle()
        return shared(audience)
    }

    private mutating func shared(_ audience: Audience) -> Targets {
        let position = Int(truncatingIfNeeded: audience.hash) & (Self.audienceCount - 1)
        if let known = audiences[position], audience.isThat(of: known) { return known }
        let targets = Targets(inboxes: audience.inboxes, transports: audience.transports)
        audiences[position] = targets
        return targets
    }
}
