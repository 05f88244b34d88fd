internal import FaultKit
internal import Mosquitto

/// F36: the route changes from one life to the next, while the broker keeps the session and messages arrive all the time. A
/// message that matches both routes is heard once. The broker does not keep sending messages that match no route.
enum EditedRoutes {
    private static let wide = "name: in, topic: \"home/{rest...}\", event: \"in.{rest...}\", direction: in, broker: b"
    private static let narrow =
        "name: in, topic: \"home/{room}/temperature\", event: \"in.{room}.temperature\", direction: in, broker: b"
    /// The number of messages published at a time that match only the wide route.
    private static let unwanted = 20

    static func run(_ testBed: TestBed) throws {
        let rounds = testBed.options.extent(1, 10)
        let broker = try testBed.broker(.init(inFlight: 200))
        let proxy = try testBed.proxy(to: broker)
        let stranger = try testBed.stranger(at: broker)
        let installation = try testBed.installation(port: proxy.port)
        for isKilled in [false, true] {
            // The broker keeps messages only for an existing session.
            if !isKilled { testBed.end(try start(wide, installation, testBed), isKilled: false) }
            // Both subscriptions overlap briefly; messages that the broker then sends twice are recognised by their identity.
            let load = Publisher.Load(rate: testBed.options.rate / 2, topic: { "home/k\($0)/temperature" })
            let publisher = try testBed.publisher(to: broker, load)
            for _ in 0..<rounds {
                try round(isKilled: isKilled, installation, publisher, stranger, proxy, testBed)
            }
            let last = try start(narrow, installation, testBed)
            try testBed.settle(publisher)
            publisher.end()
            try testBed.drain([testBed.inbound], quiet: .milliseconds(500))
            try testBed.close(last, of: installation)
            let doubled = testBed.inbound.checker.doubled
            if !isKilled { testBed.findings.demand(doubled == 0, "\(doubled) came twice without a kill") }
        }
        testBed.findings.note("\(rounds) × SIGTERM and \(rounds) × kill -9 between two routes")
    }

    /// Runs three lives: with the wide route, then twice with the narrow one.
    private static func round(
        isKilled: Bool,
        _ installation: Installation,
        _ publisher: Publisher,
        _ stranger: Stranger,
        _ proxy: TCPProxy,
        _ testBed: TestBed
    ) throws {
        publisher.isPublishing = true
        let first = try start(wide, installation, testBed)
        try publish(by: stranger, testBed)
        let isHeard = try testBed.wait(upTo: .seconds(10)) { first.foreigners >= unwanted }
        testBed.findings.demand(isHeard, "the wide route heard \(first.foreigners) of \(unwanted) messages")
        try testBed.pause(testBed.random.milliseconds(100...300))
        testBed.end(first, isKilled: isKilled)
        try publish(by: stranger, testBed)

        let second = try start(narrow, installation, testBed)
        try testBed.pause(testBed.random.milliseconds(100...300))
        // From here on, the published messages match no route.
        try testBed.settle(publisher)
        _ = try testBed.wait(upTo: .seconds(10)) { testBed.inbound.isComplete }
        let passed = proxy.packets(.publish, .toClient)
        try publish(by: stranger, testBed)
        try testBed.pause(.milliseconds(200))
        let more = proxy.packets(.publish, .toClient) - passed
        testBed.findings.demand(more == 0, "the broker sent \(more) messages that no route wants")
        publisher.isPublishing = true
        try testBed.pause(.milliseconds(100))
        testBed.end(second, isKilled: isKilled)
        try publish(by: stranger, testBed)

        let third = try start(narrow, installation, testBed)
        try testBed.pause(testBed.random.milliseconds(100...300))
        let dropped = third.notices("dropped")
        testBed.findings.demand(dropped == 0, "the session had collected messages that no route wants")
        testBed.findings.demand(third.foreigners == 0, "\(third.foreigners) messages that no route wants were heard")
        testBed.end(third, isKilled: isKilled)
    }

    private static func start(_ route: String, _ installation: Installation, _ testBed: TestBed) throws -> Daemon {
        installation.configuration.routes = [route]
        return try testBed.start(installation)
    }

    private static func publish(by stranger: Stranger, _ testBed: TestBed) throws {
        for number in 0..<unwanted {
            let payload = Array("\(TestMessage.foreign)\(number)".utf8)
            try stranger.publish(Message(topic: "home/k\(number % 8)/humidity", payload: payload, qos: .atLeastOnce))
        }
        try testBed.settle(stranger)
    }
}
