internal import FaultKit
internal import Foundation
internal import Glibc
internal import Locking

/// One life of the daemon, with readers of its output and a feeder of its standard input.
final class Daemon: Sendable {
    private struct State {
        var isReady = false
        var notices: [String: Int] = [:]
        var feeder: LineFeeder?
        var inboundLines = 0
        var singles: [String: [Int]] = [:]
        var foreigners = 0
        var lastReceipt: String?
    }

    let child: SpawnedProcess
    let life: Int
    private let input: PipeEnd
    private let output: OutputReader
    private let errors: OutputReader
    private let state: SharedState

    /// The state shared with the threads of the readers.
    private final class SharedState: Sendable {
        let locked = Locked(State())
    }

    init(
        executable: String,
        arguments: [String],
        environment: [String: String],
        life: Int,
        inbound: Ledger,
        outbound: Ledger,
        load: Publisher.Load?,
        feedPrefix: String
    ) throws {
        let (input, output, errors) = (try PipeEnd.pair(), try PipeEnd.pair(), try PipeEnd.pair())
        child = try SpawnedProcess.spawn(
            executable,
            arguments,
            environment: environment,
            streams: .init(
                input: input.reading.number,
                output: output.writing.number,
                errors: errors.writing.number
            )
        )
        for end in [input.reading, output.writing, errors.writing] { end.close() }
        let state = SharedState()
        (self.input, self.life, self.state) = (input.writing, life, state)
        if let load {
            let feeder = LineFeeder(input.writing, ledger: outbound, load: load, prefix: feedPrefix)
            state.locked.withLock { $0.feeder = feeder }
        }
        self.errors = OutputReader(errors.reading, keep: 16_384) { line, _ in
            guard String(decoding: line, as: UTF8.self).hasPrefix("mqtt-bridge: ready") else { return }
            state.locked.withLock { $0.isReady = true }
        }
        self.output = OutputReader(output.reading) { line, isEnded in
            // Ignores an unfinished line of a killed daemon.
            guard isEnded else { return }
            guard let line = OutputLine(line) else {
                // Interleaved or truncated lines: their content is lost.
                inbound.saw(.init(nil, identity: nil))
                return
            }
            Self.take(line, life: life, inbound: inbound, state: state)
        }
    }

    private static func take(_ line: OutputLine, life: Int, inbound: Ledger, state: SharedState) {
        if line.receipt != nil {
            let feeder = state.locked.withLock { state in
                state.lastReceipt = line.id ?? state.lastReceipt
                return state.feeder
            }
            feeder?.receipt(line)
        } else if let event = line.event, event.hasPrefix("$bridge.") {
            state.locked.withLock { $0.notices[String(event.dropFirst(8)), default: 0] += 1 }
        } else if let event = line.event, event.hasPrefix("in.single.") {
            let size = line.payload?.utf8.count ?? -1
            state.locked.withLock { $0.singles[String(event.dropFirst(10)), default: []].append(size) }
        } else if line.payload?.hasPrefix(TestMessage.foreign) == true {
            state.locked.withLock { $0.foreigners += 1 }
        } else if line.event?.hasPrefix("in.k") == true {
            state.locked.withLock { $0.inboundLines += 1 }
            inbound.saw(
                .init(
                    line.payload.flatMap { TestMessage(payload: $0) },
                    identity: line.id,
                    attempt: line.attempt ?? 1,
                    life: life
                )
            )
        }
    }

    /// Whether it has reported that all routes are subscribed.
    var isReady: Bool { state.locked.withLock { $0.isReady } }
    /// Returns the number of status events of a name, for example `connected` for `$bridge.connected`.
    func notices(_ name: String) -> Int { state.locked.withLock { $0.notices[name] ?? 0 } }
    /// The number of printed messages of the ledger.
    var inboundLines: Int { state.locked.withLock { $0.inboundLines } }
    /// Returns the sizes of the payloads of `in.single.NAME`; -1 for a payload that is no text.
    func singles(_ name: String) -> [Int] { state.locked.withLock { $0.singles[name] ?? [] } }
    /// The number of payloads that begin with ``TestMessage/foreign``.
    var foreigners: Int { state.locked.withLock { $0.foreigners } }
    /// The identity in its last receipt.
    var lastReceipt: String? { state.locked.withLock { $0.lastReceipt } }
    /// The end of its standard error.
    var complaints: String { errors.text }
    /// The number of configurations that it did not take over.
    var refusedReloads: Int {
        complaints.split(separator: "is not used: nothing has changed", omittingEmptySubsequences: false).count - 1
    }
    /// The writer to its standard input; nil for none.
    var feeder: LineFeeder? { state.locked.withLock { $0.feeder } }

    /// Whether reading its standard output is paused.
    var isOutputPaused: Bool {
        get { output.isPaused }
        set { output.isPaused = newValue }
    }

    /// Ends it with SIGKILL and reads the rest of its output. Returns false if it had ended before.
    @discardableResult
    func kill() -> Bool {
        let wasAlive = child.exitStatus == nil
        child.kill()
        reap()
        return wasAlive && child.exitStatus == .signalled(SIGKILL)
    }

    /// Ends it with SIGTERM, or with SIGKILL after `limit`, and reads the rest of its output.
    func terminate(within limit: Duration = .seconds(10)) -> ProcessStatus? {
        let ending = child.terminate(within: limit)
        reap()
        return ending
    }

    /// Waits until it ends by itself and reads the rest of its output; returns nil if it still runs after `limit`.
    func ended(within limit: Duration) -> ProcessStatus? {
        guard let ending = child.waitBlocking(within: limit) else { return nil }
        reap()
        return ending
    }

    private func reap() {
        feeder?.end()
        output.join(within: .seconds(30))
        errors.join(within: .seconds(5))
        input.close()
    }
}
