internal import FaultKit
internal import Mosquitto

/// F36: the route of one life is another one in the next life, while the broker keeps the session and messages come all the
/// time. A message that both routes want is heard once. The broker does not keep sending messages that no route wants.
enum EditedRoutes {
    private static let wide = "name: in, topic: \"home/{rest...}\", event: \"in.{rest...}\", direction: in, broker: b"
    private static let narrow =
        "name: in, topic: \"home/{room}/temperature\", event: \"in.{room}.temperature\", direction: in, broker: b"
    /// How many messages are published at a time that only the wide route wants.
    private static let unwanted = 20

    static func run(_ bench: Bench) throws {
        let rounds = bench.options.extent(1, 10)
        let broker = try bench.broker(.init(inFlight: 200))
        let proxy = try bench.proxy(to: broker)
        let stranger = try bench.stranger(at: broker)
        let installation = try bench.installation(port: proxy.port)
        for isKilled in [false, true] {
            // The broker keeps messages only for a session that is there.
            if !isKilled { bench.end(try start(wide, installation, bench), isKilled: false) }
            // Both subscriptions stand for a moment, and what the broker then sends twice is told by its identity.
            let load = Publisher.Load(rate: bench.options.rate / 2, topic: { "home/k\($0)/temperature" })
            let publisher = try bench.publisher(to: broker, load)
            for _ in 0..<rounds {
                try round(isKilled: isKilled, installation, publisher, stranger, proxy, bench)
            }
            let last = try start(narrow, installation, bench)
            try bench.settle(publisher)
            publisher.end()
            _ = try bench.wait(upTo: .seconds(60)) {
                bench.inbound.isComplete && bench.inbound.silence > .milliseconds(500)
            }
            try bench.close(last, of: installation)
            let doubled = bench.inbound.checker.doubled
            if !isKilled { bench.findings.demand(doubled == 0, "\(doubled) came twice without a kill") }
        }
        bench.findings.note("\(rounds) × SIGTERM and \(rounds) × kill -9 between two routes")
    }

    /// From the wide route to the narrow one, and again to the narrow one.
    private static func round(
        isKilled: Bool,
        _ installation: Installation,
        _ publisher: Publisher,
        _ stranger: Stranger,
        _ proxy: TCPProxy,
        _ bench: Bench
    ) throws {
        publisher.isPublishing = true
        let first = try start(wide, installation, bench)
        try publish(by: stranger, bench)
        let isHeard = try bench.wait(upTo: .seconds(10)) { first.foreigners >= unwanted }
        bench.findings.demand(isHeard, "the wide route heard \(first.foreigners) of \(unwanted) messages")
        try bench.pause(bench.random.milliseconds(100...300))
        bench.end(first, isKilled: isKilled)
        try publish(by: stranger, bench)

        let second = try start(narrow, installation, bench)
        try bench.pause(bench.random.milliseconds(100...300))
        // From here on only messages that no route wants are published.
        try bench.settle(publisher)
        _ = try bench.wait(upTo: .seconds(10)) { bench.inbound.isComplete }
        let passed = proxy.packets(.publish, .toClient)
        try publish(by: stranger, bench)
        try bench.pause(.milliseconds(200))
        let more = proxy.packets(.publish, .toClient) - passed
        bench.findings.demand(more == 0, "the broker sent \(more) messages that no route wants")
        publisher.isPublishing = true
        try bench.pause(.milliseconds(100))
        bench.end(second, isKilled: isKilled)
        try publish(by: stranger, bench)

        let third = try start(narrow, installation, bench)
        try bench.pause(bench.random.milliseconds(100...300))
        let dropped = third.notices("dropped")
        bench.findings.demand(dropped == 0, "the session had collected messages that no route wants")
        bench.findings.demand(third.foreigners == 0, "\(third.foreigners) messages that no route wants were heard")
        bench.end(third, isKilled: isKilled)
    }

    private static func start(_ route: String, _ installation: Installation, _ bench: Bench) throws -> Daemon {
        installation.configuration.routes = [route]
        return try bench.start(installation)
    }

    private static func publish(by stranger: Stranger, _ bench: Bench) throws {
        for number in 0..<unwanted {
            let payload = Array("\(Parcel.foreign)\(number)".utf8)
            try stranger.publish(Message(topic: "home/k\(number % 8)/humidity", payload: payload, qos: .atLeastOnce))
        }
        try bench.settle(stranger)
    }
}
