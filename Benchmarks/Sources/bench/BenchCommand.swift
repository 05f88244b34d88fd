import ArgumentParser
import Foundation

/// Runs benchmarks, prints their tables and keeps their figures.
@main
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measures the bridge beside other programs, in turns on this machine.",
        discussion: """
            The figures are ratios: other machines, and this one tomorrow, have other rates. Names:

            \(Name.allCases.map { "  \($0.rawValue): \($0.what)" }.joined(separator: "\n"))
            """
    )

    /// What can be measured.
    enum Name: String, CaseIterable, ExpressibleByArgument {
        case `in`, out, latency, bus, match, broker, durable, wear, fairness, calls, allocations, memory, startup,
            growth

        var what: String {
            switch self {
            case .in: "from a fake broker, as fast as the client takes it, to one async listener"
            case .out: "from an emit to a fake broker that takes in as fast as it comes"
            case .latency: "there and back through a real mosquitto, at 1,000 a second"
            case .bus: "from an emit to listeners in the same process, beside other buses"
            case .match: "finding who wants an event, among 10,000 patterns"
            case .broker: "through a real mosquitto, which is the limit"
            case .durable: "durable QoS 1 in, beside a C program of the same design"
            case .wear: "what a durable message costs the medium, by the rate at which they come"
            case .fairness: "what a flood on one topic does to the delays of another"
            case .calls: "system calls of each message, counted"
            case .allocations: "allocations of each message, counted"
            case .memory: "idle, after millions of messages, after a million topics"
            case .startup: "from the start of the program to its SUBSCRIBE, and with a million messages in its store"
            case .growth: "cost of a message as one condition after the other grows, with plots"
            }
        }
    }

    @Argument(help: "What to measure; everything, if nothing is named.")
    var names: [Name] = []
    @Flag(help: "Three short repeats instead of five longer ones, and without paho and Python.")
    var quick = false
    @Flag(help: "Counts, does not time, and fails where a message costs more than it may.")
    var gate = false
    @Option(help: "The version of the protocol: 4 for MQTT 3.1.1, or 5.")
    var mqtt = 5
    @Option(help: "The folder for the figures, as NAME.json.")
    var results = "Benchmarks/results"
    @Option(help: "The folder for the plots of growth; that of the figures, if it is not named.")
    var plots: String?

    func validate() throws {
        guard mqtt == 4 || mqtt == 5 else { throw ValidationError("--mqtt is 4 or 5") }
        guard !gate || names.isEmpty else { throw ValidationError("--gate goes without names") }
    }

    func run() throws {
        guard !gate else {
            if Gate(version: mqtt).run() { return }
            throw ExitCode.failure
        }
        for name in names.isEmpty ? Name.allCases : names {
            let result = try measure(name)
            let file = try result.write(to: folder(results), name: name.rawValue)
            let text = "\(result.markdown)\n\nEvery figure: \(file.path(percentEncoded: false))\n"
            // At once, so that the tables of a long run can be read while it goes on.
            FileHandle.standardOutput.write(Data(text.utf8))
        }
    }

    private func measure(_ name: Name) throws -> BenchmarkResult {
        let effort = quick ? Effort.quick : .thorough
        return switch name {
        case .in: InBenchmark(effort: effort, version: mqtt).run()
        case .out: OutBenchmark(effort: effort, version: mqtt).run()
        case .latency: LatencyBenchmark(effort: effort, version: mqtt).run()
        case .bus: BusBenchmark(effort: effort).run()
        case .match: MatchBenchmark(effort: effort).run()
        case .broker: BrokerBenchmark(effort: effort, version: mqtt).run()
        case .durable: DurableBenchmark(effort: effort, version: mqtt).run()
        case .wear: WearBenchmark(effort: effort, version: mqtt).run()
        case .fairness: FairnessBenchmark(effort: effort, version: mqtt).run()
        case .calls: CallsBenchmark(effort: effort, version: mqtt).run()
        case .allocations: AllocationsBenchmark(effort: effort, version: mqtt).run()
        case .memory: MemoryBenchmark(effort: effort, version: mqtt).run()
        case .startup: try StartupBenchmark(effort: effort, version: mqtt).run()
        case .growth: try GrowthBenchmark(effort: effort, version: mqtt, plots: folder(plots ?? results)).run()
        }
    }

    private func folder(_ path: String) -> URL { URL(filePath: path, directoryHint: .isDirectory) }
}
