import Foundation

/// Durable QoS 1 in: how fast messages are committed and acknowledged, beside a C program of the same design.
struct DurableBenchmark {
    let effort: Effort
    let version: Int

    private enum Synchronous: String, CaseIterable {
        case full, normal
    }

    private enum Program: String, CaseIterable {
        case insert = "C, insert"
        case insertAndDelete = "C, insert and delete"
        case bridge = "bridge"

        /// The least share of the reference's rate that is wanted.
        var target: Double? { self == .bridge ? 0.9 : nil }
    }

    private struct Condition {
        let window: Int
        let synchronous: Synchronous

        var title: String { "window \(window), \(synchronous.rawValue.uppercased())" }
    }

    private static let reference = Program.insert

    func run() throws -> BenchmarkResult {
        let began = Date()
        let conditions = [20, 200].flatMap { window in
            Synchronous.allCases.map { Condition(window: window, synchronous: $0) }
        }
        return BenchmarkResult(
            title: "Durable QoS 1 in, MQTT \(version == 5 ? "5" : "3.1.1")",
            reference: "“\(Self.reference.rawValue)”",
            began: began,
            machine: Machine(),
            effort: effort,
            rows: try conditions.flatMap(rows)
        )
    }

    private func rows(_ condition: Condition) throws -> [BenchmarkResult.Row] {
        note("\(condition.title): how fast the reference is")
        let trial = try measure(Self.reference, condition, messages: 4_000)
        // In whole thousands, so that tables can be compared.
        let thousands = (trial.messagesPerSecond * effort.secondsPerRun / 1_000).rounded()
        let messages = Int(min(max(thousands, 2), 500)) * 1_000
        var runs: [Program: [Hose.Run]] = [:]
        for turn in 0..<effort.repeats {
            note("\(condition.title): \(turn + 1) of \(effort.repeats), \(messages) messages")
            // Each goes first in turn: what one leaves to be written back may slow down the next.
            for place in Program.allCases.indices {
                let program = Program.allCases[(place + turn) % Program.allCases.count]
                runs[program, default: []].append(try measure(program, condition, messages: messages))
            }
        }
        let rates = runs.mapValues { Figures($0.map(\.messagesPerSecond)) }
        return Program.allCases.map { program in
            let (rate, own) = (rates[program]!, runs[program]!)
            return BenchmarkResult.Row(
                condition: condition.title,
                program: program.rawValue,
                messages: messages,
                rate: rate,
                ratio: rate.median / rates[Self.reference]!.median,
                processorSecondsPerMillion: Figures(own.map { $0.processorSeconds * 1e6 / Double(messages) }).median,
                acknowledgementsPerRead: Figures(own.map { Double(messages) / Double(max(1, $0.reads)) }).median,
                target: program.target,
                runs: own
            )
        }
    }

    private func measure(_ program: Program, _ condition: Condition, messages: Int) throws -> Hose.Run {
        try withTemporaryFolder { folder in
            let database = folder.appending(path: "store").path(percentEncoded: false)
            let hose = Hose(version: version, window: condition.window, messages: messages)
            let synchronous = condition.synchronous.rawValue
            switch program {
            case .insert, .insertAndDelete:
                let arguments = ["{port}", database, synchronous, "\(version)", "\(messages)"]
                return try hose.run("durable-peer", arguments + (program == .insert ? [] : ["delete"]))
            case .bridge:
                return try hose.run(
                    "durable-bridge",
                    [
                        "--port", "{port}", "--database", database, "--synchronous", synchronous,
                        "--mqtt", "\(version)", "--messages", "\(messages)",
                    ]
                )
            }
        }
    }

    private func note(_ text: String) {
        FileHandle.standardError.write(Data("bench: \(text)\n".utf8))
    }
}
