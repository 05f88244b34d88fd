/// The receivers of a bus and their patterns. Pure apart from the objects that it refers to.
struct Registry: Sendable {
    /// Distinguishes registries.
    final class Identity: Sendable {}

    fileprivate struct Registration {
        /// Grows with each registration.
        let number: UInt64
        let mailbox: any Mailbox
        let receiver: Receiver
        var patterns: Set<EventPattern> = []

        init(_ mailbox: any Mailbox, number: UInt64) {
            self.number = number
            self.mailbox = mailbox
            receiver = Receiver(mailbox)
        }
    }

    /// The number of slots of ``shared``: a power of two.
    private static let sharedSlots = 256

    let identity = Identity()
    /// Grows with each change of the receivers or their patterns.
    private(set) var version: UInt64 = 0
    private var index = PatternIndex<Receiver>()
    private var registrations: [Listener: Registration] = [:]
    private var durable: [ExactText: Listener] = [:]
    private var latestNumber: UInt64 = 0
    private var cache = NameCache()
    /// Receivers to reuse for other names that the same receivers hear, by the low bits of their hash.
    private var shared = [Receivers?](repeating: nil, count: Self.sharedSlots)

    /// A snapshot of all listeners: free to take under the lock; sort it after the release.
    struct Listeners {
        fileprivate let registrations: [Listener: Registration]

        /// The mailboxes, in the order in which their listeners were added.
        var mailboxes: [any Mailbox] { registrations.values.sorted { $0.number < $1.number }.map(\.mailbox) }
    }

    var listeners: Listeners { Listeners(registrations: registrations) }

    func mailbox(of listener: Listener) -> (any Mailbox)? { registrations[listener]?.mailbox }

    /// Refuses a durable listener whose name another one has.
    func checkName(of listener: Listener) throws(EventBusError) {
        guard listener.isDurable, let other = durable[ExactText(listener.name)], other != listener else { return }
        throw EventBusError(
            .nameTaken,
            operation: "add durable listener \(String(reflecting: listener.name))",
            detail: "another durable listener has this name; give each its own, or remove the other one first"
        )
    }

    mutating func add(_ listener: Listener, to pattern: EventPattern, makeMailbox: () -> any Mailbox) -> Bool {
        var registration = registrations[listener] ?? makeRegistration(makeMailbox())
        guard registration.patterns.insert(pattern).inserted else { return false }
        registrations[listener] = registration
        if listener.isDurable { durable[ExactText(listener.name)] = listener }
        add(registration.receiver, to: pattern)
        return true
    }

    private mutating func makeRegistration(_ mailbox: any Mailbox) -> Registration {
        latestNumber += 1
        return Registration(mailbox, number: latestNumber)
    }

    /// Returns whether the listener had the pattern, and its mailbox if this was its last pattern.
    mutating func remove(_ listener: Listener, from pattern: EventPattern) -> (removed: Bool, closing: (any Mailbox)?) {
        guard var registration = registrations[listener], registration.patterns.remove(pattern) != nil else {
            return (false, nil)
        }
        remove(registration.receiver, from: pattern)
        registrations[listener] = registration.patterns.isEmpty ? nil : registration
        if registration.patterns.isEmpty, listener.isDurable { durable[ExactText(listener.name)] = nil }
        return (true, registration.patterns.isEmpty ? registration.mailbox : nil)
    }

    /// The patterns of a listener.
    func patterns(of listener: Listener) -> Set<EventPattern> { registrations[listener]?.patterns ?? [] }

    mutating func add(_ receiver: Receiver, to pattern: EventPattern) {
        if index.insert(receiver, for: pattern) { forgetLookUps() }
    }

    mutating func remove(_ receiver: Receiver, from pattern: EventPattern) {
        if index.remove(receiver, for: pattern) { forgetLookUps() }
    }

    /// A cached route for events of that name.
    mutating func destination(for name: EventName) -> EventDestination {
        EventDestination(name: name, owner: identity, receivers: receiversToKeep(for: name), version: version)
    }

    /// Keeps the caches free of receivers that have left. So a cache never holds the last reference to one: the caller
    /// that removes a receiver holds it until the lock is released.
    private mutating func forgetLookUps() {
        version += 1
        cache = NameCache()
        for slot in shared.indices { shared[slot] = nil }
    }

    mutating func receivers(for name: EventName) -> Receivers {
        if let known = cache[name] { return known }
        let receivers = lookUp(name)
        cache.note(receivers, for: name)
        return receivers
    }

    /// Like ``receivers(for:)``, without adding to the cache: for callers that keep the result.
    mutating func receiversToKeep(for name: EventName) -> Receivers { cache[name] ?? lookUp(name) }

    private mutating func lookUp(_ name: EventName) -> Receivers {
        let matches = index.matches(name)
        if let receivers = index.withOnlyValue(of: matches, { $0.alone }) { return receivers }
        var collector = ReceiverCollector()
        index.eachPattern(of: matches) { collector.add($0) }
        collector.moveImmediateSinksLast()
        return share(collector)
    }

    private mutating func share(_ collector: ReceiverCollector) -> Receivers {
        let slot = Int(truncatingIfNeeded: collector.hash) & (Self.sharedSlots - 1)
        if let known = shared[slot], collector.hasMembers(of: known) { return known }
        let receivers = Receivers(sinks: collector.sinks, transports: collector.transports)
        shared[slot] = receivers
        return receivers
    }
}
