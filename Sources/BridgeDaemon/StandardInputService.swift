internal import AsyncEventBus
internal import Glibc
internal import ServiceLifecycle

/// Emits what standard input says, one line of JSON an event.
struct StandardInputService: Service {
    /// The most lines that wait for their last answer; beyond that no more are read.
    private static let answerLimit = 65_536

    let bus: EventBus
    /// Where each line is answered; nil for nowhere.
    let answers: EventOutput?
    /// Where the lines come from.
    var descriptor = STDIN_FILENO

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await read() }
        } catch is CancellationError {
            // The end that was asked for. As an error it would be taken for the daemon's, in the place of the bridge's.
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
        // The end of the input is not the end of the daemon.
        try await gracefulShutdown()
    }
}
