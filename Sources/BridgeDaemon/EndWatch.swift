internal import Dispatch
internal import Glibc
internal import Locking

/// Ends the process 5 s after it was told to end, whatever still hangs then: a commit, a connection, or all threads that
/// could see to an end in order. On threads of its own.
///
/// Nothing is acknowledged by that which was not stored: what was under way comes again at the next start.
final class EndWatch {
    /// Counts down once it is begun.
    final class Countdown: Sendable {
        private let end = Locked<ContinuousClock.Instant?>(nil)
        private let queue = DispatchQueue(label: "mqtt-bridge.end")

        /// The process is to end. A second time changes nothing.
        func begin() {
            let isFirst = end.withLock { end in
                defer { end = end ?? .now + .seconds(5) }
                return end == nil
            }
            if isFirst { queue.asyncAfter(deadline: .now() + 5) { Self.endByForce() } }
        }

        /// How long something may take that is to end half a second before this does.
        func left(of limit: Duration) -> Duration {
            guard let end = end.withLock({ $0 }) else { return limit }
            return min(limit, max(.zero, ContinuousClock.now.duration(to: end) - .milliseconds(500)))
        }

        private static func endByForce() {
            let isSaid = DispatchSemaphore(value: 0)
            // Standard error may hang as well.
            DispatchQueue(label: "mqtt-bridge.last-words").async {
                StandardError.write(
                    "mqtt-bridge: not ended 5 s after it was told to: ended by force. What was under way comes again at the "
                        + "next start; look at the store's disk, and at who reads the output"
                )
                isSaid.signal()
            }
            _ = isSaid.wait(timeout: .now() + .milliseconds(200))
            _exit(ExitStatus.cutShort.rawValue)
        }
    }

    let countdown = Countdown()
    private var sources: [any DispatchSourceSignal] = []

    /// Begins to count with the first of these signals, as long as this object lives.
    init(_ signals: Int32...) {
        sources = signals.map { number in
            let queue = DispatchQueue(label: "mqtt-bridge.signal")
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { [countdown] in countdown.begin() }
            source.activate()
            return source
        }
    }

    deinit { for source in sources { source.cancel() } }
}
