import Testing

@testable import AsyncEventBus

@Suite("Registry")
struct RegistryTests {
    private static func makeMailbox(_ listener: Listener) -> any Mailbox {
        MailboxContext(listener: listener, clock: ContinuousClock()) { _ in }.makeMailbox()
    }

    @Test("a listener has one mailbox for all its patterns, and it is given back with the last one")
    func oneMailbox() throws {
        var registry = Registry()
        let listener = Listener("l") { _ in }
        for pattern: EventPattern in ["a", "a", "*"] {
            _ = registry.add(listener, to: pattern) { Self.makeMailbox(listener) }
        }
        let mailbox = try #require(registry.mailbox(of: listener))
        #expect(registry.listeners.mailboxes.count == 1)
        #expect(registry.patterns(of: listener) == ["a", "*"])
        #expect(registry.targets(for: "a").inboxes.count == 1)
        #expect(registry.remove(listener, from: "a").closing == nil)
        #expect(registry.remove(listener, from: "a").removed == false)
        #expect(registry.remove(listener, from: "*").closing === mailbox)
        #expect(registry.mailbox(of: listener) == nil && registry.patterns(of: listener).isEmpty)
    }

    @Test("what is remembered about a name follows every change")
    func cache() {
        var registry = Registry()
        let (one, two, transport) = (Listener("1") { _ in }, Listener("2") { _ in }, FakeTransport())
        #expect(registry.targets(for: "a.b").inboxes.isEmpty)
        _ = registry.add(one, to: "a.*") { Self.makeMailbox(one) }
        #expect(registry.targets(for: "a.b").inboxes.count == 1)
        _ = registry.add(two, to: "a.b") { Self.makeMailbox(two) }
        registry.add(Registry.Target(transport), to: "**")
        #expect(registry.targets(for: "a.b").inboxes.count == 2)
        #expect(registry.targets(for: "a.b").transports.count == 1)
        _ = registry.remove(one, from: "a.*")
        registry.remove(Registry.Target(transport), from: "**")
        #expect(registry.targets(for: "a.b").inboxes.count == 1)
        #expect(registry.targets(for: "a.b").transports.isEmpty)
    }

    @Test("more names than are remembered are found all the same")
    func manyNames() {
        var registry = Registry()
        let listener = Listener("l") { _ in }
        _ = registry.add(listener, to: "a.*") { Self.makeMailbox(listener) }
        for number in 0..<10_000 {
            let found = registry.targets(for: EventName(spelled: "a.\(number)")).inboxes.count
            guard found == 1 else {
                Issue.record("a.\(number) has \(found) listeners")
                return
            }
        }
    }

    @Test("names that the same receivers hear share their targets")
    func sharing() {
        var registry = Registry()
        let (one, two) = (Listener("1") { _ in }, Listener("2") { _ in })
        _ = registry.add(one, to: "a.*") { Self.makeMailbox(one) }
        _ = registry.add(two, to: "a.c") { Self.makeMailbox(two) }
        let shared = registry.targets(for: "a.b")
        for name: EventName in ["a.b", "a.d", "a.e"] {
            let targets = registry.targets(for: name)
            #expect(targets === shared, "\(name)")
        }
        var outdated: [Targets] = []
        let kept = registry.destination(for: "a.f").targets(in: &registry, outdated: &outdated)
        #expect(kept === shared)
        let both = registry.targets(for: "a.c")
        let none = registry.targets(for: "b")
        #expect(both.inboxes.count == 2 && none.inboxes.isEmpty)
    }
}
