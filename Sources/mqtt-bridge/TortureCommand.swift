import ArgumentParser
import Foundation
import Torture
import UnixSignals

/// `mqtt-bridge torture`: shows that nothing that was accepted is lost.
struct TortureCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "torture",
        abstract: "Harms a broker and a daemon of its own, and counts the messages that are lost or doubled.",
        discussion: """
            Starts mosquitto and this program on free ports of 127.0.0.1, in temporary folders, and prints one line for \
            each fault. A double is recognised when a receiver can tell it from a new message. Exit codes: 0 the \
            promise held, 64 wrong usage, 69 mosquitto is missing, 70 the promise did not hold.
            """
    )

    /// EX_SOFTWARE of sysexits.h: the promise did not hold, or nobody knows.
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

    @Option(help: "A number that repeats the same random choices. Without it, a new one.")
    var seed: UInt64?

    @Option(help: "How results are printed: text for people, json for programs, markdown for documents.")
    var format: ReportFormat = .text

    @Flag(exclusivity: .exclusive, help: "How much of everything: about 3 minutes in all, or the full numbers.")
    var extent: ExtentFlag = .short

    /// How much of everything.
    enum ExtentFlag: String, EnumerableFlag {
        case short
        case long
    }

    func validate() throws {
        if let unknown = scenario.first(where: { !Torture.names.contains($0) }) {
            throw ValidationError("no scenario \"\(unknown)\"; there are \(Torture.names.joined(separator: ", "))")
        }
        guard kills.map({ (1...100_000).contains($0) }) ?? true else {
            throw ValidationError("--kills is a number from 1 to 100000")
        }
        guard (20...100_000).contains(rate) else { throw ValidationError("--rate is a number from 20 to 100000") }
    }

    func run() async throws {
        guard Torture.hasBroker else {
            StandardError.write("mqtt-bridge: mosquitto is not installed; install it (apt install mosquitto)")
            throw Exit.unavailable
        }
        var options = TortureOptions(executable: Torture.ownExecutable, seed: seed ?? .random(in: 1...999_999))
        options.extent = extent == .long ? .long : .short
        options.kills = kills
        options.rate = rate
        let format = format
        if let header = format.header { Self.print(header) }
        let torture = Torture(options: options)
        let names = scenario
        let held = try await Self.endingOnSignal {
            try await torture.run(names) { Self.print(format.line($0)) }
        }
        guard held else { throw Self.broken }
    }

    /// Cancels `body` on SIGINT and SIGTERM, so that its processes and folders go with it.
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

    /// At once, also into a pipe.
    private static func print(_ line: String) {
        FileHandle.standardOutput.write(Data((line + "\n").utf8))
    }
}

extension ReportFormat: ExpressibleByArgument {}
