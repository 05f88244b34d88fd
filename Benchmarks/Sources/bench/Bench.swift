import ArgumentParser
import Foundation

/// Runs benchmarks, prints their tables and keeps their figures.
@main
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measures the bridge beside other programs, in turns on this machine.",
        discussion: "The figures are ratios: other machines, and this one tomorrow, have other rates."
    )

    /// What can be measured.
    enum Name: String, CaseIterable, ExpressibleByArgument {
        case durable
    }

    @Argument(help: "What to measure; everything, if nothing is named.")
    var names: [Name] = Name.allCases
    @Flag(help: "Three short repeats instead of five long ones.")
    var quick = false
    @Option(help: "The version of the protocol: 4 for MQTT 3.1.1, or 5.")
    var mqtt = 5
    @Option(help: "The folder for the figures, as NAME.json.")
    var results = "Benchmarks/results"

    func validate() throws {
        guard mqtt == 4 || mqtt == 5 else { throw ValidationError("--mqtt is 4 or 5") }
    }

    func run() throws {
        let effort = quick ? Effort.quick : .thorough
        for name in names {
            let result =
                switch name {
                case .durable: try DurableBenchmark(effort: effort, version: mqtt).run()
                }
            print(result.markdown)
            let file = try result.write(to: URL(filePath: results, directoryHint: .isDirectory), name: name.rawValue)
            print("\nEvery figure: \(file.path(percentEncoded: false))")
        }
    }
}

/// How long is measured.
struct Effort: Encodable {
    /// How often each configuration runs; its median counts.
    let repeats: Int
    /// About how long one run is to take, at the speed of the reference.
    let secondsPerRun: Double

    static let thorough = Effort(repeats: 5, secondsPerRun: 2)
    static let quick = Effort(repeats: 3, secondsPerRun: 1)
}
