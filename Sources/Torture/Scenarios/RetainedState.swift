internal import FaultKit
internal import Mosquitto

/// F41: two brokers retain a state for each of many topics, and the connection to one of them is cut while states change on
/// either side. After the reconnect both have the same state of each topic: the changed one if only one side changed it.
enum RetainedState {
    private static let routes = [
        "name: near, topic: \"state/{rest...}\", event: \"state.{rest...}\", broker: b, retain: true",
        "name: far, topic: \"state/{rest...}\", event: \"state.{rest...}\", broker: other, retain: true",
    ]

    /// The side that changes a topic during a cut.
    private enum Change: CaseIterable {
        case none, near, far, both
    }

    static func run(_ testBed: TestBed) throws {
        // With a window, the broker's retained and queued messages wait behind it, but its acknowledgements do not.
        try run(testBed, window: 20, changes: [.none, .near, .far])
        try run(testBed, window: 0, changes: Change.allCases)
    }

    /// - Parameter window: The in-flight window of the far broker, in messages; 0 for no limit.
    private static func run(_ testBed: TestBed, window: Int, changes: [Change]) throws {
        let topics = testBed.options.extent(200, 2_000)
        let cuts = testBed.options.extent(2, 15)
        let near = try testBed.broker()
        let far = try testBed.broker(.init(inFlight: window))
        let proxy = try testBed.proxy(to: far)
        let strangers = (near: try testBed.stranger(at: near), far: try testBed.stranger(at: far))
        let installation = try testBed.installation(port: near.port, name: "window-\(window)")
        installation.configuration.otherPort = proxy.port
        installation.configuration.otherSettings = ["session_expiry: 1h", "receive_maximum: 65535"]
        installation.configuration.routes = routes
        let daemon = try testBed.start(installation)
        testBed.expectedAlive = daemon

        var states = (0..<topics).map { (topic: "state/t\($0)", expected: "0:\($0)" as String?) }
        for (topic, expected) in states { try set(topic, to: expected ?? "", by: strangers.near) }
        try testBed.settle(strangers.near)
        try demand(states, near, far, "before the first cut", testBed)
        var count = 0
        for cut in 1...cuts {
            let changes = states.map { _ in changes.randomElement(using: &testBed.random) ?? .none }
            // The first half of the changes may be in flight when the connection is cut.
            let places = states.indices.shuffled(using: &testBed.random)
            for (position, place) in places.enumerated() {
                if position == topics / 2 {
                    let losses = daemon.notices("disconnected")
                    proxy.mode = .reset
                    let isLost = try testBed.wait(upTo: .seconds(10)) { daemon.notices("disconnected") > losses }
                    testBed.findings.demand(isLost, "the cut was not noticed within 10 s")
                }
                let (topic, change) = (states[place].topic, changes[place])
                // While connected, changes on both sides at the same moment may swap the states: leaves them out.
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
            try testBed.settle(strangers.near)
            try testBed.settle(strangers.far)
            try testBed.pause(testBed.random.milliseconds(300...700))
            let connections = daemon.notices("connected")
            proxy.mode = .forward
            let isBack = try testBed.wait(upTo: .seconds(10)) { daemon.notices("connected") > connections }
            testBed.findings.demand(isBack, "not connected 10 s after the line was back")
            try demand(states, near, far, "after cut \(cut)", testBed)
            // Five connections in a row that end within 3 s lengthen the pauses, which is another scenario.
            if cuts > 4 { try testBed.pause(.seconds(3)) }
        }
        try testBed.close(daemon, of: installation)
        strangers.near.end()
        strangers.far.end()
        testBed.findings.note(
            "\(topics) topics, \(count) changes in \(cuts) cuts, window \(window == 0 ? "without limit" : "\(window)")"
        )
    }

    private static func set(_ topic: String, to state: String, by stranger: Stranger) throws {
        try stranger.publish(Message(topic: topic, payload: Array(state.utf8), qos: .atLeastOnce, isRetained: true))
    }

    /// Demands that the brokers retain the expected states within 10 s, in two checks in a row.
    private static func demand(
        _ states: [(topic: String, expected: String?)],
        _ near: MosquittoBroker,
        _ far: MosquittoBroker,
        _ moment: String,
        _ testBed: TestBed
    ) throws {
        var wrong: [String] = []
        let deadline = ContinuousClock.now + .seconds(10)
        var sound = 0
        repeat {
            try testBed.pause(.milliseconds(150))
            let kept = (near: try kept(at: near, states.count, testBed), far: try kept(at: far, states.count, testBed))
            wrong = states.compactMap { topic, expected in
                let (one, other) = (kept.near[topic] ?? "none", kept.far[topic] ?? "none")
                if one == other, expected.map({ $0 == one }) ?? true { return nil }
                return "\(topic) is \(one) and \(other), not \(expected ?? "the same")"
            }
            sound = wrong.isEmpty ? sound + 1 : 0
        } while sound < 2 && ContinuousClock.now < deadline
        testBed.findings.demand(
            wrong.isEmpty,
            "\(moment) \(wrong.count) of \(states.count) states are wrong: \(wrong.prefix(3).joined(separator: ", "))"
        )
    }

    /// Returns the retained messages that a broker sends to a new subscriber.
    private static func kept(at broker: MosquittoBroker, _ count: Int, _ testBed: TestBed) throws -> [String: String] {
        let reader = try Stranger(port: broker.port, name: "torture-reader", filters: ["state/#"])
        defer { reader.end() }
        _ = try testBed.wait(upTo: .seconds(5)) { reader.heard.count >= count }
        return reader.heard
    }
}
