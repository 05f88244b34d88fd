import Testing

@testable import AsyncEventBus

@Suite("ReceiverCollector")
struct AudienceTests {
    private static func makeSinks(_ count: Int) -> [Receiver] {
        (0..<count).map { number in
            let listener = Listener("\(number)") { _ in }
            return Receiver(MailboxContext(listener: listener, clock: ContinuousClock()) { _ in }.makeMailbox())
        }
    }

    private static func found(_ collector: ReceiverCollector) -> [ObjectIdentifier] {
        collector.sinks.map { ObjectIdentifier($0) } + collector.transports.map { ObjectIdentifier($0) }
    }

    @Test("who is found under several patterns is there once, in their order", arguments: [1, 2, 16, 17, 60])
    func once(count: Int) {
        let (sinks, transport) = (Self.makeSinks(count), Receiver(FakeTransport()))
        var collector = ReceiverCollector()
        collector.add(Array(sinks.prefix(count / 2)))
        collector.add([transport])
        collector.add(sinks)
        collector.add(sinks.reversed() + [transport])
        #expect(Self.found(collector) == (sinks + [transport]).map(\.identity))
    }

    @Test("the same receivers in the same order are the same collector, and no others")
    func same() {
        let sinks = Self.makeSinks(2)
        func collected(_ receivers: [Receiver]) -> ReceiverCollector {
            var collector = ReceiverCollector()
            collector.add(receivers)
            return collector
        }
        let both = collected(sinks)
        let receivers = Receivers(sinks: both.sinks, transports: both.transports)
        #expect(both.hasMembers(of: receivers) && both.hash == collected(sinks).hash)
        for other in [[], [sinks[0]], sinks.reversed(), sinks + [Receiver(FakeTransport())]] {
            #expect(!collected(other).hasMembers(of: receivers))
            #expect(collected(other).hash != both.hash)
        }
    }
}
