/// The most that a message may cost of something that is counted.
struct GateBound {
    let kind: Instrument.Kind
    let qos: Int
    let quantity: Metric
    /// So little above what it was when this was set that one more for each message does not pass.
    let most: Double

    /// All of them. Allocations and instructions are those beside the usual C client's, payloads are of 64 bytes,
    /// durability is memory. Instructions may be a tenth more: compilers differ. Inbound, they depend on the machine as well: one
    /// build counted 4,441 and 4,136 on one machine, and 5,382 and 4,966 on another that hands over smaller batches under valgrind.
    /// So there the bound is a tenth above the most that was seen.
    static let all = [
        GateBound(kind: .hose, qos: 0, quantity: .systemCalls, most: 0.1),
        GateBound(kind: .hose, qos: 1, quantity: .systemCalls, most: 0.1),
        GateBound(kind: .sink, qos: 0, quantity: .systemCalls, most: 0.2),
        GateBound(kind: .sink, qos: 1, quantity: .systemCalls, most: 0.2),
        GateBound(kind: .hose, qos: 0, quantity: .allocations, most: 2.7),
        GateBound(kind: .hose, qos: 1, quantity: .allocations, most: 2.7),
        GateBound(kind: .sink, qos: 0, quantity: .allocations, most: 8.8),
        GateBound(kind: .sink, qos: 1, quantity: .allocations, most: 11.8),
        GateBound(kind: .hose, qos: 0, quantity: .instructions, most: 5_900),
        GateBound(kind: .hose, qos: 1, quantity: .instructions, most: 5_700),
        GateBound(kind: .sink, qos: 0, quantity: .instructions, most: 12_700),
        GateBound(kind: .sink, qos: 1, quantity: .instructions, most: 15_400),
    ]

    var condition: String { "\(kind == .sink ? "out" : "in"), QoS \(qos)" }

    private var messages: Int { 20_000 }

    /// A command that tells what a figure is made of.
    func analysis(version: Int) throws -> String {
        let options = "--mqtt \(version) --qos \(qos) --messages \(messages)"
        let role: Peer.Role = kind == .sink ? .out : .in
        var peer = try Peer.bridge.command(role, version: version, qos: qos, messages: messages)
        var (before, tool) = ("", "heaptrack")
        if quantity == .systemCalls { tool = "strace -f -c" }
        if quantity == .instructions {
            // See Counting: valgrind reads no debug information that is newer than itself.
            before = "strip --strip-debug -o /tmp/stripped \(peer[0]) && "
            tool =
                "env LD_PRELOAD=\(Programs.path("libWritableMask.so")) valgrind --tool=callgrind --separate-threads=yes"
            peer[0] = "/tmp/stripped"
        }
        return "\(before)\(Programs.path(kind.rawValue)) \(options) -- \(tool) \(peer.joined(separator: " "))"
    }

    /// Counts it once.
    func count(version: Int) throws -> Double {
        let bridge = counting(.bridge, version)
        let library = counting(.loopForever, version)
        return switch quantity {
        case .systemCalls: try bridge.systemCalls(messages)
        case .instructions: try bridge.instructions(messages) - library.instructions(messages)
        default: try bridge.allocations(messages) - library.allocations(messages)
        }
    }

    /// Why it cannot be counted on this machine at all; nil where it can be.
    func obstacle(version: Int) -> String? {
        quantity == .instructions ? counting(.bridge, version).obstacleToInstructions() : nil
    }

    private func counting(_ peer: Peer, _ version: Int) -> Counting {
        Counting(kind: kind, peer: peer, version: version, qos: qos)
    }
}
