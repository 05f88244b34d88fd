internal import FaultKit

/// F6: the connection ends after byte n of each packet type, in both directions, with FIN and with RST.
enum CutConnection {
    private static let places: [(TCPProxy.Direction, FakeBroker.PacketType)] = [
        (.toServer, .connect), (.toClient, .connack), (.toServer, .subscribe), (.toClient, .suback),
        (.toClient, .publish), (.toServer, .puback), (.toServer, .publish), (.toClient, .puback),
    ]

    static func run(_ testBed: TestBed) throws {
        let broker = try testBed.broker()
        let proxy = try testBed.proxy(to: broker)
        let receiver = try testBed.receiver(at: broker)
        let installation = try testBed.installation(port: proxy.port)
        let load = Publisher.Load(rate: testBed.options.rate / 10, size: 64)
        let daemon = try testBed.start(installation, feeding: load)
        testBed.expectedAlive = daemon
        let publisher = try testBed.publisher(to: broker, load)
        var cuts = 0
        for (direction, type) in places {
            for bytes in positions(testBed) {
                let resets = Bool.random(using: &testBed.random)
                proxy.cut(.init(type, bytes: bytes), direction, reset: resets)
                // SUBSCRIBE and CONNECT come only with a new connection.
                if type == .connect || type == .connack || type == .subscribe || type == .suback {
                    proxy.resetConnections()
                }
                let isCut = try testBed.wait(upTo: .seconds(15)) { !proxy.isCutPending }
                testBed.findings.demand(isCut, "no cut after byte \(bytes) of \(type)")
                if isCut { cuts += 1 }
                proxy.cancelCut()
                // Five connections in a row that end within 3 s, without a refused attempt in between, lengthen the pauses
                // before reconnects, which is another scenario. A cut may end two connections.
                if cuts.isMultiple(of: 2) { try testBed.pause(.milliseconds(4_500)) }
            }
        }
        try testBed.settle(publisher)
        daemon.feeder?.end()
        try testBed.drain()
        try testBed.close(daemon, of: installation)
        receiver.end()
        testBed.findings.note("\(cuts) cuts; connected \(daemon.notices("connected")) times")
    }

    private static func positions(_ testBed: TestBed) -> [Int] {
        if testBed.options.extent == .short { return [Int.random(in: 1...60, using: &testBed.random)] }
        return Array(1...8) + (0..<4).map { _ in Int.random(in: 13...120, using: &testBed.random) }
    }
}
