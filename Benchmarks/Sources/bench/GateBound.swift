/// The most that a message may cost of something that is counted.
struct GateBound {
    let kind: Instrument.Kind
    let qos: Int
    let quantity: Quantity
    /// So little above what it was when this was set that one more for each message does not pass.
    let most: Double

    /// All of them. Allocations are those beside the library's own, payloads are of 64 bytes, durability is memory.
    static let all = [
        GateBound(kind: .hose, qos: 0, quantity: .systemCalls, most: 0.1),
        GateBound(kind: .hose, qos: 1, quantity: .systemCalls, most: 0.1),
        GateBound(kind: .sink, qos: 0, quantity: .systemCalls, most: 0.2),
        GateBound(kind: .sink, qos: 1, quantity: .systemCalls, most: 0.2),
        GateBound(kind: .hose, qos: 0, quantity: .allocations, most: 2.7),
        GateBound(kind: .hose, qos: 1, quantity: .allocations, most: 2.7),
        GateBound(kind: .sink, qos: 0, quantity: .allocations, most: 10.8),
        GateBound(kind: .sink, qos: 1, quantity: .allocations, most: 16.8),
    ]

    var condition: String { "\(kind == .sink ? "out" : "in"), QoS \(qos)" }

    private var messages: Int { 20_000 }

    /// A command that tells what a figure is made of.
    func analysis(version: Int) throws -> String {
        let options = "--mqtt \(version) --qos \(qos) --messages \(messages)"
        let tool = quantity == .systemCalls ? "strace -f -c" : "heaptrack"
        let role: Peer.Role = kind == .sink ? .out : .in
        let peer = try Peer.bridge.command(role, version: version, qos: qos, messages: messages)
        return "\(Programs.path(kind.rawValue)) \(options) -- \(tool) \(peer.joined(separator: " "))"
    }

    /// Counts it once.
    func count(version: Int) throws -> Double {
        let bridge = Counting(kind: kind, peer: .bridge, version: version, qos: qos)
        if quantity == .systemCalls { return try bridge.systemCalls(messages) }
        let library = Counting(kind: kind, peer: .loopForever, version: version, qos: qos)
        return try bridge.allocations(messages) - library.allocations(messages)
    }
}
