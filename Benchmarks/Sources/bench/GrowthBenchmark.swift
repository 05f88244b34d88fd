import Foundation

/// What a message costs, in, as one condition after the other grows.
struct GrowthBenchmark {
    let effort: Effort
    let version: Int
    /// The folder for the plots.
    let plots: URL

    func run() throws -> BenchmarkResult {
        var result = BenchmarkResult(
            "Growth: what a message costs, in, \(protocolName(version))",
            reference: "the same program under the first of the conditions",
            effort: growing
        )
        try FileManager.default.createDirectory(at: plots, withIntermediateDirectories: true)
        for sweep in effort.isQuick ? sweeps.filter(\.isMain).map(\.ends) : sweeps {
            let rows = sweep.rows(growing)
            result.rows += rows
            let file = plots.appending(path: "growth-\(sweep.name).svg")
            try Data(sweep.plot(rows).utf8).write(to: file)
        }
        return result
    }

    /// There are many conditions.
    private var growing: Effort {
        Effort(repeats: effort.isQuick ? 1 : 5, secondsPerRun: effort.secondsPerRun / 2, isQuick: effort.isQuick)
    }

    private var sweeps: [Sweep] {
        [
            Sweep(
                name: "payload",
                axis: "bytes of payload",
                points: [0, 64, 1_024, 16_384, 131_072, 1_048_576],
                programs: [Peer.bridge, .loopForever].map { peer in
                    program(peer) { ["payload": "\($0)"] }
                }
            ),
            Sweep(
                name: "topics",
                axis: "topics",
                points: [1, 10, 100, 1_000, 10_000, 100_000],
                programs: [Peer.bridge, .loopForever].map { peer in program(peer) { ["topics": "\($0)"] } }
            ),
            sweep("routes", "routes", [1, 10, 100, 1_000, 10_000]),
            sweep("patterns", "patterns of other listeners", [1, 10, 100, 1_000]),
            sweep("listeners", "listeners that hear each message", [1, 10, 100, 1_000]),
            sweep("bridges", "bridges in one process", [1, 2, 4, 8], hose: { ["connections": "\($0)"] }),
            Sweep(
                name: "window",
                axis: "messages in flight, QoS 1",
                points: [1, 10, 100, 1_000, 10_000],
                programs: [Peer.bridge, .loopForever].map { peer in program(peer, qos: 1) { ["window": "\($0)"] } }
            ),
            Sweep(
                name: "durability",
                axis: "messages in flight, QoS 1",
                points: [20, 200, 1_000],
                programs: [
                    program(.bridge, named: "kept in memory", qos: 1) { ["window": "\($0)"] },
                    durable("kept on disk, NORMAL", "normal"),
                    durable("kept on disk, FULL", "full"),
                ]
            ),
        ]
    }

    /// Grows an option of the bridge's program.
    private func sweep(
        _ option: String,
        _ axis: String,
        _ points: [Int],
        hose: @escaping (Int) -> [String: String] = { _ in [:] }
    ) -> Sweep {
        Sweep(
            name: option,
            axis: axis,
            points: points,
            programs: [program(.bridge, more: { ["--\(option)", "\($0)"] }, hose: hose)]
        )
    }

    private func program(
        _ peer: Peer,
        named name: String? = nil,
        qos: Int = 0,
        more: @escaping (Int) -> [String] = { _ in [] },
        hose: @escaping (Int) -> [String: String]
    ) -> Sweep.Program {
        Sweep.Program(name: name ?? peer.rawValue) { point, messages in
            let command = try peer.command(.in, version: version, qos: qos, messages: messages) + more(point)
            let hose = Instrument(kind: .hose, version: version, qos: qos, options: hose(point))
            return try hose.run(command, messages: messages).sample
        }
    }

    private func durable(_ name: String, _ synchronous: String) -> Sweep.Program {
        Sweep.Program(name: name) { window, messages in
            try DurableClient.bridge.sample(
                version: version,
                window: window,
                synchronous: synchronous,
                messages: messages
            )
        }
    }
}
