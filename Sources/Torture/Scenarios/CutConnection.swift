internal import FaultKit

/// F6: the connection ends after byte n of every kind of packet, in both directions, with FIN and with RST.
enum CutConnection {
    private static let places: [(TCPProxy.Direction, FakeBroker.PacketType)] = [
        (.toServer, .connect), (.toClient, .connack), (.toServer, .subscribe), (.toClient, .suback),
        (.toClient, .publish), (.toServer, .puback), (.toServer, .publish), (.toClient, .puback),
    ]

    static func run(_ bench: Bench) throws {
        let broker = try bench.broker()
        let proxy = try bench.proxy(to: broker)
        let receiver = try bench.receiver(at: broker)
        let installation = try bench.installation(port: proxy.port)
        let load = Publisher.Load(rate: bench.options.rate / 10, size: 64)
        let daemon = try bench.start(installation, feeding: load)
        bench.expectedAlive = daemon
        let publisher = try bench.publisher(to: broker, load)
        var cuts = 0
        for (direction, type) in places {
            for bytes in positions(bench) {
                let resets = Bool.random(using: &bench.random)
                proxy.cut(.init(type, bytes: bytes), direction, reset: resets)
                // SUBSCRIBE and CONNECT come only with a new connection.
                if type == .connect || type == .connack || type == .subscribe || type == .suback {
                    proxy.resetConnections()
                }
                let isCut = try bench.wait(upTo: .seconds(15)) { !proxy.isCutPending }
                bench.findings.demand(isCut, "no cut after byte \(bytes) of \(type)")
                if isCut { cuts += 1 }
                proxy.cancelCut()
                // Five connections in a row that end within 3 s, at a broker that answers at once each time, make the
                // pauses long: that is another scenario. A cut may end two.
                if cuts.isMultiple(of: 2) { try bench.pause(.milliseconds(4_500)) }
            }
        }
        try bench.settle(publisher)
        daemon.feeder?.end()
        try bench.drain()
        try bench.close(daemon, of: installation)
        receiver.end()
        bench.findings.note("\(cuts) cuts; connected \(daemon.notices("connected")) times")
    }

    private static func positions(_ bench: Bench) -> [Int] {
        if bench.options.extent == .short { return [Int.random(in: 1...60, using: &bench.random)] }
        return Array(1...8) + (0..<4).map { _ in Int.random(in: 13...120, using: &bench.random) }
    }
}
