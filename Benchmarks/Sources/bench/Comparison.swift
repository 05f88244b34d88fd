import Foundation

/// Several programs under one condition, in turns.
struct Comparison {
    /// One of them.
    struct Contender {
        let program: String
        /// How many messages a run has; nil to find out how many take as long as the effort says.
        var messages: Int?
        var targets: [Metric: Target] = [:]
        /// Makes one run with so many messages.
        let measure: (_ messages: Int) throws -> Metric.Sample
    }

    let condition: String
    /// What is shown, in this order.
    let quantities: [Metric]
    /// The first is the reference.
    let contenders: [Contender]
    let effort: Effort
    /// The range of messages in a run.
    var messages = 1_000...2_000_000

    /// What the runs of one contender found.
    private struct Record {
        var messages = 0
        var samples: [Metric.Sample] = []
        var problem: String?
    }

    func rows() -> [BenchmarkResult.Row] {
        var records = contenders.map { contender in
            attempt(contender) { record in record.messages = try contender.messages ?? trial(contender) }
        }
        for turn in 0..<effort.repeats {
            note("\(condition): \(turn + 1) of \(effort.repeats)")
            // Each goes first in turn: what one leaves behind may slow down the next.
            for place in contenders.indices {
                let index = (place + turn) % contenders.count
                guard records[index].problem == nil else { continue }
                records[index] = attempt(contenders[index], records[index]) { record in
                    record.samples.append(try contenders[index].measure(record.messages))
                }
            }
        }
        return contenders.indices.flatMap { rows(contenders[$0], records[$0], reference: records[0]) }
    }

    private func attempt(
        _ contender: Contender,
        _ record: Record = Record(),
        _ body: (inout Record) throws -> Void
    ) -> Record {
        var record = record
        do {
            try body(&record)
        } catch {
            note("\(condition), \(contender.program): \(error)")
            record.problem = "\(error)"
        }
        return record
    }

    /// How many messages take as long as one run is to take, to two digits.
    private func trial(_ contender: Contender) throws -> Int {
        var count = messages.lowerBound
        while true {
            let start = ContinuousClock.now
            let sample = try contender.measure(count)
            let rate = sample[.messagesPerSecond] ?? Double(count) / (ContinuousClock.now - start).seconds
            let wanted = rate * effort.secondsPerRun
            let limited = Int(min(max(wanted, Double(messages.lowerBound)), Double(messages.upperBound)))
            // A short run tells too little: it begins slowly.
            if limited <= count * 20 { return limited.roundedToTwoDigits }
            count = min(count * 20, messages.upperBound)
        }
    }

    private func rows(_ contender: Contender, _ record: Record, reference: Record) -> [BenchmarkResult.Row] {
        guard record.problem == nil, !record.samples.isEmpty else {
            return [.init(condition: condition, program: contender.program, quantity: nil, problem: record.problem)]
        }
        return quantities.compactMap { quantity in
            let values = record.samples.compactMap { $0[quantity] }
            // Losses are told where there are any.
            guard !values.isEmpty, quantity != .droppedPercent || values.contains(where: { $0 > 0 }) else { return nil }
            let figures = Figures(values)
            let base = reference.samples.compactMap { $0[quantity] }
            let ratio = base.isEmpty || contenders.count == 1 ? nil : figures.median / Figures(base).median
            let target = contender.targets[quantity]
            return BenchmarkResult.Row(
                condition: condition,
                program: contender.program,
                quantity: quantity,
                figures: figures,
                ratio: ratio.flatMap { $0.isFinite ? $0 : nil },
                target: target?.text,
                isMet: target.map { $0.isMet(value: figures.median, ratio: ratio) },
                messages: record.messages
            )
        }
    }
}

/// Says on standard error how far things are.
func note(_ text: String) {
    FileHandle.standardError.write(Data("bench: \(text)\n".utf8))
}

extension Int {
    /// So that tables can be compared.
    var roundedToTwoDigits: Int {
        var unit = 1
        while self / unit >= 100 { unit *= 10 }
        return self / unit * unit
    }
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
