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
        #expect(registry.receivers(for: "a").sinks.count == 1)
        #expect(registry.remove(listener, from: "a").closing == nil)
        #expect(registry.remove(listener, from: "a").removed == false)
        #expect(registry.remove(listener, from: "*").closing === mailbox)
        #expect(registry.mailbox(of: listener) == nil && registry.patterns(of: listener).isEmpty)
    }

    @Test("what is remembered about a name follows every change")
    func cache() {
        var registry = Registry()
        let (one, two, transport) = (Listener("1") { _ in }, Listener("2") { _ in }, FakeTransport())
        #expect(registry.receivers(for: "a.b").sinks.isEmpty)
        _ = registry.add(one, to: "a.*") { Self.makeMailbox(one) }
        #expect(registry.receivers(for: "a.b").sinks.count == 1)
        _ = registry.add(two, to: "a.b") { Self.makeMailbox(two) }
        registry.add(Receiver(transport), to: "**")
        #expect(registry.receivers(for: "a.b").sinks.count == 2)
        #expect(registry.receivers(for: "a.b").transports.count == 1)
        _ = registry.remove(one, from: "a.*")
        registry.remove(Receiver(transport), from: "**")
        #expect(registry.receivers(for: "a.b").sinks.count == 1)
        #expect(registry.receivers(for: "a.b").transports.isEmpty)
    }

    @Test("more names than are remembered are found all the same")
    func manyNames() {
        var registry = Registry()
        let listener = Listener("l") { _ in }
        _ = registry.add(listener, to: "a.*") { Self.makeMailbox(listener) }
        for number in 0..<10_000 {
            let found = registry.receivers(for: EventName(spelled: "a.\(number)")).sinks.count
            guard found == 1 else {
                Issue.record("a.\(number) has \(found) listeners")
                return
            }
        }
    }

    @Test("names that the same receivers hear share their receivers")
    func sharing() {
        var registry = Registry()
        let (one, two) = (Listener("1") { _ in }, Listener("2") { _ in })
        _ = registry.add(one, to: "a.*") { Self.makeMailbox(one) }
        _ = registry.add(two, to: "a.c") { Self.makeMailbox(two) }
        let shared = registry.receivers(for: "a.b")
        for name: EventName in ["a.b", "a.d", "a.e"] {
            let receivers = registry.receivers(for: name)
            #expect(receivers === shared, "\(name)")
        }
        var outdated: [Receivers] = []
        let kept = registry.destination(for: "a.f").receivers(in: &registry, outdated: &outdated)
        #expect(kept === shared)
        let both = registry.receivers(for: "a.c")
        let none = registry.receivers(for: "b")
        #expect(both.sinks.count == 2 && none.sinks.isEmpty)
    }
}
