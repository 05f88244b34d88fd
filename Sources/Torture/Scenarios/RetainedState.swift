internal import FaultKit
internal import Mosquitto

/// F41: two brokers keep one state for each of many topics, and the line to one of them is cut while states change on either
/// side. After it is back both have the same state of each topic, and the changed one if only one side has changed it.
enum RetainedState {
    private static let routes = [
        "name: near, topic: \"state/{rest...}\", event: \"state.{rest...}\", broker: b, retain: true",
        "name: far, topic: \"state/{rest...}\", event: \"state.{rest...}\", broker: other, retain: true",
    ]

    /// Which side changes a topic during a cut.
    private enum Change: CaseIterable {
        case none, near, far, both
    }

    static func run(_ bench: Bench) throws {
        // What a broker has kept, and what it has collected, waits behind its window, and its acknowledgements do not.
        try run(bench, window: 20, changes: [.none, .near, .far])
        try run(bench, window: 0, changes: Change.allCases)
    }

    /// - Parameter window: How many messages the broker behind the line sends without an acknowledgement; 0 for no limit.
    private static func run(_ bench: Bench, window: Int, changes: [Change]) throws {
        let topics = bench.options.extent(200, 2_000)
        let cuts = bench.options.extent(2, 15)
        let near = try bench.broker()
        let far = try bench.broker(.init(inFlight: window))
        let proxy = try bench.proxy(to: far)
        let strangers = (near: try bench.stranger(at: near), far: try bench.stranger(at: far))
        let installation = try bench.installation(port: near.port, name: "window-\(window)")
        installation.configuration.otherPort = proxy.port
        installation.configuration.otherSettings = ["session_expiry: 1h", "receive_maximum: 65535"]
        installation.configuration.routes = routes
        let daemon = try bench.start(installation)
        bench.expectedAlive = daemon

        var states = (0..<topics).map { (topic: "state/t\($0)", expected: "0:\($0)" as String?) }
        for (topic, expected) in states { try set(topic, to: expected ?? "", by: strangers.near) }
        try bench.settle(strangers.near)
        try demand(states, near, far, "before the first cut", bench)
        var count = 0
        for cut in 1...cuts {
            let changes = states.map { _ in changes.randomElement(using: &bench.random) ?? .none }
            // The first half of the changes of each side may be on its way when the line is cut.
            let places = states.indices.shuffled(using: &bench.random)
            for (position, place) in places.enumerated() {
                if position == topics / 2 {
                    let losses = daemon.notices("disconnected")
                    proxy.mode = .reset
                    let isLost = try bench.wait(upTo: .seconds(10)) { daemon.notices("disconnected") > losses }
                    bench.findings.demand(isLost, "the cut was not noticed within 10 s")
                }
                let (topic, change) = (states[place].topic, changes[place])
                // Two sides that change a topic do not do so within the same moment: that may be exchanged.
                if change == .both, position < topics / 2 { continue }
                if change != .none { count += 1 }
                if change == .near || change == .both { try set(topic, to: "\(cut):near", by: strangers.near) }
                if change == .far || change == .both { try set(topic, to: "\(cut):far", by: strangers.far) }
                switch change {
                case .none: break
                case .near: states[place].expected = "\(cut):near"
                case .far: states[place].expected = "\(cut):far"
                case .both: states[place].expected = nil
                }
            }
            try bench.settle(strangers.near)
            try bench.settle(strangers.far)
            try bench.pause(bench.random.milliseconds(300...700))
            let connections = daemon.notices("connected")
            proxy.mode = .forward
            let isBack = try bench.wait(upTo: .seconds(10)) { daemon.notices("connected") > connections }
            bench.findings.demand(isBack, "not connected 10 s after the line was back")
            try demand(states, near, far, "after cut \(cut)", bench)
            // Five connections in a row that end within 3 s make the pauses long: that is another scenario.
            if cuts > 4 { try bench.pause(.seconds(3)) }
        }
        try bench.close(daemon, of: installation)
        strangers.near.end()
        strangers.far.end()
        bench.findings.note(
            "\(topics) topics, \(count) changes in \(cuts) cuts, window \(window == 0 ? "without limit" : "\(window)")"
        )
    }

    private static func set(_ topic: String, to state: String, by stranger: Stranger) throws {
        try stranger.publish(Message(topic: topic, payload: Array(state.utf8), qos: .atLeastOnce, isRetained: true))
    }

    /// Waits until what the brokers keep is as it must be, and demands that it stays so.
    private static func demand(
        _ states: [(topic: String, expected: String?)],
        _ near: MosquittoBroker,
        _ far: MosquittoBroker,
        _ moment: String,
        _ bench: Bench
    ) throws {
        var wrong: [String] = []
        let deadline = ContinuousClock.now + .seconds(10)
        var sound = 0
        repeat {
            try bench.pause(.milliseconds(150))
            let kept = (near: try kept(at: near, states.count, bench), far: try kept(at: far, states.count, bench))
            wrong = states.compactMap { topic, expected in
                let (one, other) = (kept.near[topic] ?? "none", kept.far[topic] ?? "none")
                if one == other, expected.map({ $0 == one }) ?? true { return nil }
                return "\(topic) is \(one) and \(other), not \(expected ?? "the same")"
            }
            sound = wrong.isEmpty ? sound + 1 : 0
        } while sound < 2 && ContinuousClock.now < deadline
        bench.findings.demand(
            wrong.isEmpty,
            "\(moment) \(wrong.count) of \(states.count) states are wrong: \(wrong.prefix(3).joined(separator: ", "))"
        )
    }

    /// What a broker sends to somebody who subscribes now.
    private static func kept(at broker: MosquittoBroker, _ count: Int, _ bench: Bench) throws -> [String: String] {
        let reader = try Stranger(port: broker.port, name: "torture-reader", filters: ["state/#"])
        defer { reader.end() }
        _ = try bench.wait(upTo: .seconds(5)) { reader.heard.count >= count }
        return reader.heard
    }
}
