import Testing

@testable import AsyncEventBus

@Suite("Audience")
struct AudienceTests {
    private static func makeInboxes(_ count: Int) -> [Registry.Target] {
        (0..<count).map { number in
            let listener = Listener("\(number)") { _ in }
            return Registry.Target(MailboxContext(listener: listener, clock: ContinuousClock()) { _ in }.makeMailbox())
        }
    }

    private static func found(_ audience: Audience) -> [ObjectIdentifier] {
        audience.inboxes.map { ObjectIdentifier($0) } + audience.transports.map { ObjectIdentifier($0) }
    }

    @Test("who is found under several patterns is there once, in their order", arguments: [1, 2, 16, 17, 60])
    func once(count: Int) {
        let (inboxes, transport) = (Self.makeInboxes(count), Registry.Target(FakeTransport()))
        var audience = Audience()
        audience.add(Array(inboxes.prefix(count / 2)))
        audience.add([transport])
        audience.add(inboxes)
        audience.add(inboxes.reversed() + [transport])
        #expect(Self.found(audience) == (inboxes + [transport]).map(\.identity))
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
        let targets = Targets(inboxes: both.inboxes, transports: both.transports)
        #expect(both.isThat(of: targets) && both.hash == audience(inboxes).hash)
        for other in [[], [inboxes[0]], inboxes.reversed(), inboxes + [Registry.Target(FakeTransport())]] {
            #expect(!audience(other).isThat(of: targets))
            #expect(audience(other).hash != both.hash)
        }
    }
}
