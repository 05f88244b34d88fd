import Foundation

/// From an emit to async listeners in the same process.
struct BusBenchmark {
    let effort: Effort

    private enum Bus: String, CaseIterable {
        case taskPerDelivery = "Task per delivery"
        case asyncStream = "AsyncStream per listener"
        case asyncChannel = "AsyncChannel per listener"
        case openCombine = "OpenCombine, synchronous"
        case pythonIdea = "original idea, Python"
        case asyncEventBus = "AsyncEventBus"
    }

    func run() -> BenchmarkResult {
        var result = BenchmarkResult(
            "In-process delivery",
            reference: "“\(Bus.taskPerDelivery.rawValue)”",
            effort: effort
        )
        for (listeners, limit) in [(1, 0.1), (10, 0.05)] {
            let comparison = Comparison(
                condition: listeners == 1 ? "one listener" : "\(listeners) listeners",
                quantities: [.nanosecondsPerDelivery],
                contenders: Bus.allCases.map { bus in
                    Comparison.Contender(
                        program: bus.rawValue,
                        targets: bus == .asyncEventBus ? [.nanosecondsPerDelivery: .atMost(limit)] : [:]
                    ) { events in
                        try measure(bus, listeners: listeners, events: events)
                    }
                },
                effort: effort
            )
            result.rows += comparison.rows()
        }
        return result
    }

    private func measure(_ bus: Bus, listeners: Int, events: Int) throws -> Metric.Sample {
        let arguments = ["\(listeners)", "\(events)"]
        let command =
            bus == .pythonIdea
            ? try Python.command("idea_bus.py") + arguments : [Programs.path("buses"), "\(bus)"] + arguments
        let output = try Programs.output(of: command[0], Array(command.dropFirst()))
        let span = try JSONDecoder().decode([String: Double].self, from: output)["nanoseconds"] ?? .nan
        // The rate says how many events a run should have.
        return [.nanosecondsPerDelivery: span, .messagesPerSecond: 1e9 / span / Double(listeners)]
    }
}
