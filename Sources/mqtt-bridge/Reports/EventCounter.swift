import AsyncEventBus
import BridgeDaemon
import Foundation
import Synchronization

/// Counts events and measures their rate.
final class EventCounter: Sendable {
    private let limit: Int
    private let clock = ContinuousClock()
    private let count = Atomic(0)
    private let first: AsyncStream<ContinuousClock.Instant>
    private let began: AsyncStream<ContinuousClock.Instant>.Continuation
    private let reached: AsyncStream<ContinuousClock.Instant>
    private let ended: AsyncStream<ContinuousClock.Instant>.Continuation

    /// - Parameter limit: The number of events to count, 2 or more: the rate is measured from the first to the last.
    init(limit: Int) {
        self.limit = limit
        (first, began) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(1))
        (reached, ended) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(1))
    }

    /// The number of events so far.
    var seen: Int { count.load(ordering: .relaxed) }

    /// Counts an event. Reads the clock only for the first and the last one.
    func add() {
        let number = count.wrappingAdd(1, ordering: .relaxed).newValue
        if number == 1 { began.yield(clock.now) }
        if number == limit { ended.yield(clock.now) }
    }

    /// Waits for the last event and returns the rate; nil if the task is cancelled.
    func rate() async -> EventRate? {
        guard let start = await first.first(where: { _ in true }), let end = await reached.first(where: { _ in true })
        else { return nil }
        return EventRate(events: limit, duration: start.duration(to: end))
    }
}

/// A number of events and the time in which they arrived.
struct EventRate {
    let events: Int
    let duration: Duration

    private var seconds: Double { max(duration / .seconds(1), 1e-9) }

    /// Events per second. The first event is not counted, since the time begins with it.
    private var perSecond: Int { Int((Double(events - 1) / seconds).rounded()) }

    func line(_ format: EventFormat) -> String {
        let time = String(format: "%.3f", seconds)
        return switch format {
        case .text: "\(events) events in \(time) s, \(perSecond) per second"
        case .json: "{\"events\":\(events),\"seconds\":\(time),\"events_per_second\":\(perSecond)}"
        }
    }
}
