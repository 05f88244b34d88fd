import ArgumentParser
import AsyncEventBus
import Glibc
import MQTTBridge
import Mosquitto
import Synchronization

/// From the broker to two listeners: of a flood, and of a quiet topic, whose delays are told at the end.
struct Quiet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Times the messages of a quiet topic while another topic is flooded."
    )

    @OptionGroup var options: PeerOptions
    @Option(help: "How long the listener of the flood computes for each event, in microseconds.")
    var computing = 0
    @Option(help: "How long it waits for something else, in microseconds.")
    var waiting = 0

    func run() async throws {
        let bus = EventBus()
        let flooded = Atomic(0)
        bus.on("bench.*") { [computing, waiting] _ in
            if computing > 0 { Self.compute(microseconds: computing) }
            if waiting > 0 { try await Task.sleep(for: .microseconds(waiting)) }
            flooded.add(1, ordering: .relaxed)
        }
        // None of them may be dropped: each counts.
        let (delays, heard) = AsyncStream.makeStream(
            of: Double.self,
            bufferingPolicy: .bufferingOldest(options.messages)
        )
        bus.on("quiet.*", .capacity(options.messages)) { event in
            let due = event.payload.bytes.withUnsafeBytes { $0.loadUnaligned(as: Double.self) }
            heard.yield(Self.now - due * 1e6)
        }
        let routes = [
            Route("bench/{n}", "bench.{n}", direction: .in, qos: try options.level),
            Route("quiet/{n}", "quiet.{n}", direction: .in, qos: .atMostOnce),
            Route("delays", "delays", direction: .out, qos: .atMostOnce),
        ]
        try await withRunning([try options.bridge(on: bus, routes)]) {
            bus.emit("ready")
            var all: [Double] = []
            for await delay in delays.prefix(options.messages) { all.append(delay) }
            bus.emit("delays", Payload(all.withUnsafeBytes { [UInt8]($0) }))
            bus.emit("done", Payload("\(flooded.load(ordering: .relaxed))"))
        }
    }

    /// Microseconds of the clock that never jumps, which the broker's side reads too.
    private static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) * 1e6 + Double(time.tv_nsec) / 1e3
    }

    private static func compute(microseconds: Int) {
        let end = now + Double(microseconds)
        while now < end {}
    }
}
