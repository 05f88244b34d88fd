/// One receiver of events: a mailbox, a subscription or a transport. Equal to another one with the same object.
struct Receiver: Hashable, Sendable {
    enum Kind: Sendable {
        case sink(any EventSink)
        case transport(any EventTransport)
    }

    let kind: Kind
    /// The receivers of names that only this one hears.
    let alone: Receivers

    init(_ sink: any EventSink) {
        kind = .sink(sink)
        alone = Receivers(sinks: [sink], transports: [])
    }

    init(_ transport: any EventTransport) {
        kind = .transport(transport)
        alone = Receivers(sinks: [], transports: [transport])
    }

    static func == (left: Receiver, right: Receiver) -> Bool { left.identity == right.identity }

    func hash(into hasher: inout Hasher) { hasher.combine(identity) }

    var identity: ObjectIdentifier {
        switch kind {
        case .sink(let sink): ObjectIdentifier(sink)
        case .transport(let transport): ObjectIdentifier(transport)
        }
    }
}
