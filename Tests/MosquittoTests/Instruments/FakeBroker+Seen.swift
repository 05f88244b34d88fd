import TestSupport

extension FakeBroker {
    /// All PUBLISH packets over all connections, in order.
    var published: [PublishPacket] {
        peers.flatMap(\.recorded).compactMap { $0.type == .publish ? try? $0.publish() : nil }
    }

    /// How many packets of that type came, over all connections.
    func count(_ type: PacketType) -> Int {
        peers.flatMap(\.recorded).count { $0.type == type }
    }
}
