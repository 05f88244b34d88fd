internal import FaultKit
internal import Foundation
internal import Glibc
internal import Locking

/// Writes events to the standard input of a daemon at a given rate, on a thread of its own.
///
/// A message stands in the ledger before its line is written, and is promised from the receipt on that says `stored`.
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

    /// - Parameter prefix: What the names of the events begin with.
    init(_ pipe: PipeEnd, ledger: Ledger, load: Publisher.Load, prefix: String = "out.k") {
        self.ledger = ledger
        self.prefix = prefix
        Thread.detachNewThread { [self] in
            feed(pipe, load)
            ended.signal()
        }
    }

    /// Whether lines are written; what was written stays.
    var isFeeding: Bool {
        get { state.withLock { $0.isFeeding } }
        set { state.withLock { $0.isFeeding = newValue } }
    }

    /// How many receipts said `stored`, each line once.
    var stored: Int { state.withLock { $0.stored } }
    /// How many receipts said `published`, each line once.
    var published: Int { state.withLock { $0.published } }
    /// How many lines were written.
    var lines: Int { state.withLock { $0.testMessages.count } }

    /// Writes no more. The pipe stays open: its end is not the end of the daemon.
    func end() {
        state.withLock { $0.isEnded = true }
        ended.wait()
        ended.signal()
    }

    /// A receipt came. Lines count from 1.
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

    /// Waits while the daemon does not read; false when it is gone or the feeder is to end.
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
