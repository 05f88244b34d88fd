import Testing

@testable import AsyncEventBus

@Suite("Audience")
struct AudienceTests {
    private static func makeInboxes(_ count: Int) -> [Registry.Target] {
        (0..<count).map { number in
            let listener = Listener("\(number)") { _ in }
            return Registry.Target(Mailbox(listener: listener, clock: ContinuousClock()) { _ in })
        }
    }

    private static func found(_ audience: Audience) -> [ObjectIdentifier] {
        audience.inboxes.map { ObjectIdentifier($0) } + audience.relays.map { ObjectIdentifier($0) }
    }

    @Test("who is found under several patterns is there once, in their order", arguments: [1, 2, 16, 17, 60])
    func once(count: Int) {
        let (inboxes, relay) = (Self.makeInboxes(count), Registry.Target(FakeRelay()))
        var audience = Audience()
        audience.add(Array(inboxes.prefix(count / 2)))
        audience.add([relay])
        audience.add(inboxes)
        audience.add(inboxes.reversed() + [relay])
        #expect(Self.found(audience) == (inboxes + [relay]).map(\.identity))
    }

    @Test("the same receivers in the same order are the same audience, and no others")
    func same() {
        let inboxes = Self.makeInboxes(2)
        func audience(_ targets: [Registry.Target]) -> Audience {
            var audience = Audience()
            audience.add(targets)
            return audience
        }
        let both = audience(inboxes)
        let targets = Targets(inboxes: both.inboxes, relays: both.relays)
        #expect(both.isThat(of: targets) && both.hash == audience(inboxes).hash)
        for other in [[], [inboxes[0]], inboxes.reversed(), inboxes + [Registry.Target(FakeRelay())]] {
            #expect(!audience(other).isThat(of: targets))
            #expect(audience(other).hash != both.hash)
        }
    }
}
