import ArgumentParser
import Foundation
import Mosquitto
import Programs
import Torture
import UnixSignals

/// The program `mqtt-bridge-torture`: tests that no accepted message is lost.
@main
struct TortureCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mqtt-bridge-torture",
        abstract: "Harm a broker and a daemon that it starts, and count lost and doubled messages.",
        discussion: """
            Starts mosquitto and mqtt-bridge, which lies beside this program, on free ports of 127.0.0.1, in temporary \
            folders, and prints one line for each fault. A double is recognised when a receiver can tell it from a new \
            message. Exit codes: 0 the promise held, 64 wrong usage, 69 mosquitto or mqtt-bridge is missing, 70 the \
            promise did not hold.

            With --power-cut nothing is started: a store is filled while its medium is recorded, and files that a power \
            cut could have left of it are opened and checked.

            With --histories nothing is started either: one bridge or two run between simulated brokers, through crashes, \
            cuts, refusals, edited routes and failures of their stores. The first history that breaks the promise is cut \
            down to its shortest form and printed in steps; --histories 1 --seed SEED repeats it to the letter.
            """
    )

    /// EX_UNAVAILABLE of sysexits.h: a required program is missing.
    private static let unavailable = ExitCode(69)
    /// EX_SOFTWARE of sysexits.h: the promise did not hold, or the run was interrupted.
    private static let broken = ExitCode(70)

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "Only these faults; without it, all: \(Torture.names.joined(separator: ", ")).",
            valueName: "name"
        )
    )
    var scenario: [String] = []

    @Option(help: "How often the bridge is killed in F1 and F2.")
    var kills: Int?

    @Option(help: "Messages a second; some scenarios use a part of it.")
    var rate = 2_000

    @Option(help: "How many faults are tried at the same time. With more than one, measured times mean less.")
    var jobs = 1

    @Option(help: "A number that repeats the same random choices. Without it, a new one.")
    var seed: UInt64?

    @Flag(help: "Try power cuts instead, on a record of what a store does to its medium.")
    var powerCut = false

    @Option(help: "How many outcomes of power cuts are opened.")
    var images = 1_000_000

    @Option(help: "Carry out so many histories of a simulated bridge instead.")
    var histories: Int?

    @Option(help: "How results are printed: text for people, json for programs, markdown for documents.")
    var format: ReportFormat = .text

    @Flag(exclusivity: .exclusive, help: "How much of everything: about 5 minutes in all, or the full numbers.")
    var extent: ExtentFlag = .short

    /// The amount of work.
    enum ExtentFlag: String, EnumerableFlag {
        case short
        case long
    }

    static func main() async {
        // If the reader of the output goes away, the write fails instead of SIGPIPE ending the program silently.
        Library.ignoreBrokenPipes()
        await main(nil)
    }

    func validate() throws {
        if let unknown = scenario.first(where: { !Torture.names.contains($0) }) {
            throw ValidationError("no scenario \"\(unknown)\"; there are \(Torture.names.joined(separator: ", "))")
        }
        guard kills.map({ (1...100_000).contains($0) }) ?? true else {
            throw ValidationError("--kills is a number from 1 to 100000")
        }
        guard (1...16).contains(jobs) else { throw ValidationError("--jobs is a number from 1 to 16") }
        guard images > 0 else { throw ValidationError("--images is a number from 1") }
        guard histories.map({ $0 > 0 }) ?? true else { throw ValidationError("--histories is a number from 1") }
        guard histories == nil || (!powerCut && scenario.isEmpty) else {
            throw ValidationError("either --histories, or --power-cut, or --scenario")
        }
        guard !powerCut || scenario.isEmpty else { throw ValidationError("either --power-cut or --scenario") }
        guard (20...100_000).contains(rate) else { throw ValidationError("--rate is a number from 20 to 100000") }
    }

    func run() async throws {
        if let histories { return try runHistories(histories) }
        if powerCut { return try await runPowerCuts() }
        guard Torture.hasBroker else {
            throw Self.missing("mosquitto is not installed; install it (apt install mosquitto)")
        }
        guard let daemon = Program.path(beside: "mqtt-bridge") else {
            throw Self.missing("mqtt-bridge is not beside this program; build it (swift build --product mqtt-bridge)")
        }
        var options = TortureOptions(executable: daemon, seed: seed ?? .random(in: 1...999_999))
        options.extent = extent == .long ? .long : .short
        options.kills = kills
        options.rate = rate
        options.jobs = jobs
        let format = format
        if let header = format.header { Self.print(header) }
        let torture = Torture(options: options)
        let names = scenario
        let held = try await Self.endingOnSignal {
            let broken = try await torture.run(names) { Self.print(format.line($0)) }
            // Once more at the end: of a long log one reads the end first.
            for report in broken {
                Self.complain("\(report.scenario) \(report.title), seed \(report.seed): \(report.note)")
            }
            return broken.isEmpty
        }
        guard held else { throw Self.broken }
    }

    private func runHistories(_ count: Int) throws {
        // If the variable is missing, the program restarts itself: the Swift runtime reads it before any of our code runs.
        if ProcessInfo.processInfo.environment[Histories.hashing] == nil {
            setenv(Histories.hashing, "1", 1)
            throw Self.missing(Program.become(Program.own, arguments: Array(CommandLine.arguments.dropFirst())))
        }
        let report = Histories(seed: seed ?? .random(in: 1...999_999), count: count).run()
        Self.print(report.text(format))
        guard report.held else { throw Self.broken }
    }

    private func runPowerCuts() async throws {
        let cuts = PowerCuts(seed: seed ?? .random(in: 1...999_999), images: images)
        let format = format
        let held = try await Self.endingOnSignal {
            let report = try await cuts.run()
            Self.print(report.text(format))
            return report.held
        }
        guard held else { throw Self.broken }
    }

    /// Cancels `body` on SIGINT and SIGTERM, so that its processes and folders are removed.
    private static func endingOnSignal(_ body: @escaping @Sendable () async throws -> Bool) async throws -> Bool {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        return try await withThrowingTaskGroup(of: Bool?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                for await _ in signals { return nil }
                return nil
            }
            defer { group.cancelAll() }
            guard let held = try await group.next() ?? nil else { throw Self.broken }
            return held
        }
    }

    /// Writes an error to standard error and returns the exit code for a missing program.
    private static func missing(_ text: String) -> ExitCode {
        complain(text)
        return unavailable
    }

    private static func complain(_ text: String) {
        FileHandle.standardError.write(Data("mqtt-bridge-torture: \(text)\n".utf8))
    }

    /// Prints a line unbuffered, also into a pipe.
    private static func print(_ line: String) {
        FileHandle.standardOutput.write(Data((line + "\n").utf8))
    }
}

extension ReportFormat: ExpressibleByArgument {}
