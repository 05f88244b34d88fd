import AsyncEventBus

/// Decides which listeners are stalled, by samples taken once a second. Pure.
///
/// A listener is stalled if a call continues after its time limit, or if a call has run for 3.5 s, with or without a
/// limit, while other events wait. A listener that recovers may merely be slow: it is reported again only if it stalls
/// for twice as long as the last time.
struct ListenerStalls {
    typealias Instant = ContinuousClock.Instant

    enum Report: Sendable, Hashable {
        /// The listener has been stalled for `age`, with `waiting` events in its mailbox.
        case stalled(listener: String, age: Duration, waiting: Int)
        /// A reported listener has continued or left the bus, after `age`.
        case recovered(listener: String, age: Duration)
    }

    private struct Watched {
        let name: String
        var progress: ListenerLook.Progress?
        /// When a sample first found it stalled at this progress.
        var since: Instant?
        /// The beginning of the stall that was reported.
        var reported: Instant?
        var patience = ListenerStalls.patience
    }

    /// With one sample per second, a call that does not return is reported within 5 s.
    private static let patience: Duration = .milliseconds(3_500)

    private var watched: [ObjectIdentifier: Watched] = [:]

    /// - Parameter looks: Samples of all listeners on the bus.
    mutating func look(_ looks: [ListenerLook], at now: Instant) -> [Report] {
        var reports: [Report] = []
        var former = watched
        watched = [:]
        for look in looks {
            var listener = former.removeValue(forKey: look.mailbox) ?? Watched(name: look.name)
            if look.progress == nil || look.progress != listener.progress { listener.since = nil }
            if look.isHeldUp, listener.since == nil { listener.since = now }
            listener.progress = look.progress
            let start = [listener.since, look.exceeded].compactMap { $0 }.min()
            if let report = Self.report(&listener, start, look.waiting, at: now) { reports.append(report) }
            watched[look.mailbox] = listener
        }
        // The remaining ones have left the bus.
        for listener in former.values {
            guard let reported = listener.reported else { continue }
            reports.append(.recovered(listener: listener.name, age: reported.duration(to: now)))
        }
        return reports
    }

    /// - Parameter start: When the stall began; nil if there is none.
    private static func report(_ listener: inout Watched, _ start: Instant?, _ waiting: Int, at now: Instant) -> Report?
    {
        if let reported = listener.reported {
            if let start, start <= reported { return nil }
            let age = reported.duration(to: now)
            listener.reported = nil
            listener.patience = max(listener.patience, age * 2)
            return .recovered(listener: listener.name, age: age)
        }
        guard let start, start.duration(to: now) >= listener.patience else { return nil }
        listener.reported = start
        return .stalled(listener: listener.name, age: start.duration(to: now), waiting: waiting)
    }
}
