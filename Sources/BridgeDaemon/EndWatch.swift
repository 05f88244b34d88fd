internal import Dispatch
internal import Glibc
internal import Locking

/// Ends the process by force 5 s after a request to end, even if a commit, a connection or every thread of the
/// cooperative pool hangs. It uses threads of its own.
///
/// No message is acknowledged that was not stored. Interrupted deliveries and publishes are repeated after the next start.
final class EndWatch {
    /// The time limit of the shutdown, from the first call of ``begin()``.
    final class Countdown: Sendable {
        private let end = Locked<ContinuousClock.Instant?>(nil)
        private let queue = DispatchQueue(label: "mqtt-bridge.end")

        /// Starts the countdown. A second call does nothing.
        func begin() {
            let isFirst = end.withLock { end in
                defer { end = end ?? .now + .seconds(5) }
                return end == nil
            }
            if isFirst { queue.asyncAfter(deadline: .now() + 5) { Self.endByForce() } }
        }

        /// Returns the time in which a step must end, half a second before the countdown does; at most `limit`.
        func left(of limit: Duration) -> Duration {
            guard let end = end.withLock({ $0 }) else { return limit }
            return min(limit, max(.zero, ContinuousClock.now.duration(to: end) - .milliseconds(500)))
        }

        private static func endByForce() {
            let isSaid = DispatchSemaphore(value: 0)
            // Writing to standard error may hang as well.
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

    /// Starts the countdown at the first of these signals, for as long as this object lives.
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
