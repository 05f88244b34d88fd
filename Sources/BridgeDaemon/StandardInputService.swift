internal import AsyncEventBus
internal import Glibc
internal import ServiceLifecycle

/// Emits the events on standard input, one line of JSON for each event.
struct StandardInputService: Service {
    /// The most lines that wait for their last answer. At this limit, no more lines are read.
    private static let answerLimit = 65_536

    let bus: EventBus
    /// The output for answers; nil for no answers.
    let answers: EventOutput?
    /// The descriptor that the lines are read from.
    var descriptor = STDIN_FILENO

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await read() }
        } catch is CancellationError {
            // The requested end. If thrown, this error could hide the bridge's error as the error of the daemon.
        }
    }

    private func read() async throws {
        let lines = LineReader(descriptor)
        let pending = PendingAnswers(limit: Self.answerLimit)
        var number = 0
        while let line = await lines.next() {
            number += 1
            guard !line.isBlank else { continue }
            do {
                let command = try EmitLine(line)
                guard let answers else {
                    try await bus.emitWhenRoom(command.name, command.payload, attributes: command.attributes)
                    continue
                }
                try await pending.waitForRoom()
                let receipt = try await bus.tracked.emitWhenRoom(
                    command.name,
                    command.payload,
                    attributes: command.attributes
                )
                pending.began()
                Answer(line: number, receipt: receipt).follow(to: answers) { pending.ended() }
            } catch let error as EmitLine.Mistake {
                StandardError.write("mqtt-bridge: standard input, line \(number): \(error.text)")
                answers?.enqueue(line: Answer.refusal(line: number, error: error.text))
            }
        }
        // The daemon runs on after the end of its input.
        try await gracefulShutdown()
    }
}
