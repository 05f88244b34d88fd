internal import FaultKit
internal import Foundation
internal import Glibc
internal import Locking

/// Writes events to the standard input of a daemon at a given rate, on its own thread.
///
/// A message is entered into the ledger before its line is written, and promised when a receipt reports `stored`.
final class LineFeeder: Sendable {
    private struct State {
        var isEnded = false
        var isFeeding = true
        var testMessages: [TestMessage] = []
        var isPublished: [Bool] = []
        var published = 0
        var stored = 0
    }

    private let ledger: Ledger
    private let prefix: String
    private let state = Locked(State())
    private let ended = DispatchSemaphore(value: 0)

    /// - Parameter prefix: The prefix of the event names.
    init(_ pipe: PipeEnd, ledger: Ledger, load: Publisher.Load, prefix: String = "out.k") {
        self.ledger = ledger
        self.prefix = prefix
        Thread.detachNewThread { [self] in
            feed(pipe, load)
            ended.signal()
        }
    }

    /// Whether the feeder writes lines.
    var isFeeding: Bool {
        get { state.withLock { $0.isFeeding } }
        set { state.withLock { $0.isFeeding = newValue } }
    }

    /// The number of lines with a `stored` receipt.
    var stored: Int { state.withLock { $0.stored } }
    /// The number of lines with a `published` receipt.
    var published: Int { state.withLock { $0.published } }
    /// The number of written lines.
    var lines: Int { state.withLock { $0.testMessages.count } }

    /// Stops writing. The pipe stays open; closing it would not end the daemon.
    func end() {
        state.withLock { $0.isEnded = true }
        ended.wait()
        ended.signal()
    }

    /// Records a receipt. Lines count from 1.
    func receipt(_ line: OutputLine) {
        guard let number = line.receipt else { return }
        let testMessage: TestMessage? = state.withLock { state in
            guard state.testMessages.indices.contains(number - 1) else { return nil }
            if line.stored == true { state.stored += 1 }
            if line.published == true, !state.isPublished[number - 1] {
                state.isPublished[number - 1] = true
                state.published += 1
            }
            return line.stored == true ? state.testMessages[number - 1] : nil
        }
        if let testMessage { ledger.promise(testMessage) }
    }

    private func feed(_ pipe: PipeEnd, _ load: Publisher.Load) {
        var pace = Pace(rate: load.rate)
        var count = 0
        while count < load.limit {
            let (isEnded, isFeeding) = state.withLock { ($0.isEnded, $0.isFeeding) }
            if isEnded { return }
            let due = min(pace.due(isRunning: isFeeding), load.limit - count)
            guard due > 0 else {
                usleep(2_000)
                continue
            }
            var text = ""
            for _ in 0..<min(due, 100) {
                let testMessage = ledger.next(key: count % ledger.keys)
                state.withLock { state in
                    state.testMessages.append(testMessage)
                    state.isPublished.append(false)
                }
                text +=
                    "{\"event\":\"\(prefix)\(testMessage.key)\",\"payload\":\"\(testMessage.payload(size: load.size))\"}\n"
                count += 1
            }
            pace.took(min(due, 100))
            guard write(Array(text.utf8), to: pipe) else { return }
        }
    }

    /// Waits while the daemon does not read; returns false if the daemon is gone or the feeder ends.
    private func write(_ bytes: [UInt8], to pipe: PipeEnd) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            guard let count = try? pipe.writeNow(rest) else { return false }
            rest = rest.dropFirst(count)
            guard count == 0 else { continue }
            if state.withLock({ $0.isEnded }) { return false }
            pipe.waitForRoom(within: .milliseconds(20))
        }
        return true
    }
}
