import Locking

/// Functions around the calls of a listener.
///
/// The first option is the outermost: it decides first whether the next one runs, and at last the listener. They run within
/// an attempt: ``timeout(_:)`` bounds all of them, and ``retry(_:)`` runs all of them again. Events that a function leaves
/// out count as finished; they are not reported.
///
/// What is remembered of names, identities or values is bounded: 10,000 each, the one that was used longest ago goes first. It
/// is forgotten when the call fails, so that another attempt is not left out.
extension ListenerOption {
    /// A function around a call: it calls `next` with the event, or leaves the event out, or throws.
    public typealias Middleware = @Sendable (_ event: Event, _ next: Listener.Body) async throws -> Void

    /// Runs a function of your own around each call.
    ///
    /// ```swift
    /// bus.on("order.*", .around { event, next in
    ///     let begin = ContinuousClock.now
    ///     defer { histogram.record(begin.duration(to: .now)) }
    ///     try await next(event)
    /// }) { event in … }
    /// ```
    public static func around(_ middleware: @escaping Middleware) -> ListenerOption {
        ListenerOption { $0.middleware.append(middleware) }
    }

    /// Passes on one event in each interval, and leaves out the others.
    ///
    /// - Parameters:
    ///   - interval: Begins with an event that is passed on.
    ///   - key: Events of other keys do not count; the name, unless given.
    ///   - clock: The clock that measures intervals; another one in tests.
    public static func throttle<Time: Clock<Duration>>(
        _ interval: Duration,
        by key: @escaping @Sendable (Event) -> String = { $0.name.text },
        clock: Time = ContinuousClock()
    ) -> ListenerOption {
        let recent = Locked(RecentKeys<Time.Instant>())
        return around { event, next in
            let (key, now) = (key(event), clock.now)
            guard recent.withLock({ $0.note(key, at: now, for: interval) }) else { return }
            do {
                try await next(event)
            } catch {
                recent.withLock { $0.forget(key) }
                throw error
            }
        }
    }

    /// Leaves out events that came before: those with a key that was seen within an interval.
    ///
    /// - Parameters:
    ///   - interval: How long a key is remembered.
    ///   - key: The identity of the event, unless given.
    ///   - clock: The clock that measures intervals; another one in tests.
    public static func dedupe<Time: Clock<Duration>>(
        within interval: Duration,
        by key: @escaping @Sendable (Event) -> String = { $0.id.description },
        clock: Time = ContinuousClock()
    ) -> ListenerOption {
        throttle(interval, by: key, clock: clock)
    }

    /// Passes on an event when no other one has come for an interval; the latest one only.
    ///
    /// A waiting event occupies a call: the listener must be concurrent, with room for as many calls as there are keys that
    /// change at the same time.
    ///
    /// - Parameters:
    ///   - interval: The silence after which the event is passed on.
    ///   - key: Events of other keys do not count; the name, unless given.
    ///   - clock: The clock that measures intervals; another one in tests.
    public static func debounce(
        _ interval: Duration,
        by key: @escaping @Sendable (Event) -> String = { $0.name.text },
        clock: any Clock<Duration> = ContinuousClock()
    ) -> ListenerOption {
        let latest = Locked((numbers: [String: UInt64](), next: UInt64(0)))
        return around { event, next in
            let key = key(event)
            let number = latest.withLock { latest in
                latest.next += 1
                latest.numbers[key] = latest.next
                return latest.next
            }
            let sleep: Result<Void, any Error>
            do {
                sleep = .success(try await clock.sleep(for: interval))
            } catch {
                sleep = .failure(error)
            }
            let isLatest = latest.withLock { latest in
                guard latest.numbers[key] == number else { return false }
                latest.numbers[key] = nil
                return true
            }
            try sleep.get()
            if isLatest { try await next(event) }
        }
    }

    /// Passes on events whose payload differs from the one before of the same name.
    public static var onChange: ListenerOption {
        let known = Locked(BoundedTable<Payload>())
        return around { event, next in
            // Compared outside the lock: a value may run code of its type.
            let last = known.withLock { $0[event.name.text] }
            if let last, last.isSame(as: event.payload) { return }
            known.withLock { $0[event.name.text] = event.payload }
            do {
                try await next(event)
            } catch {
                known.withLock { $0[event.name.text] = nil }
                throw error
            }
        }
    }

    /// Passes on values that differ from the last one of the same name that was passed on, by more than a dead band.
    ///
    /// ```swift
    /// bus.on(Site.pressure, .onChange(of: Site.pressure, by: 0.2) { $0.bar }) { reading, event in … }
    /// ```
    ///
    /// - Parameters:
    ///   - topic: That of the listener.
    ///   - deadBand: 0 or more, in the unit of the number.
    ///   - number: Returns the number of a value. NaN differs from every number.
    public static func onChange<Value>(
        of topic: Topic<Value>,
        by deadBand: Double,
        _ number: @escaping @Sendable (Value) -> Double
    ) -> ListenerOption {
        precondition(deadBand >= 0, "a dead band is not negative")
        let known = Locked(BoundedTable<Double>())
        return around { event, next in
            let new = number(try topic.value(of: event))
            let isChanged = known.withLock { known in
                if let old = known[event.name.text], abs(new - old) <= deadBand { return false }
                known[event.name.text] = new
                return true
            }
            guard isChanged else { return }
            do {
                try await next(event)
            } catch {
                known.withLock { $0[event.name.text] = nil }
                throw error
            }
        }
    }

    /// Stops calling a listener that has failed several times in a row, for a while.
    ///
    /// Meanwhile calls fail at once with ``CircuitOpen``, and are repeated as far as ``retry(_:)`` allows. After the pause one
    /// call is let through: if it succeeds, the others follow; else another pause begins.
    ///
    /// - Parameters:
    ///   - failures: In a row, 1 or more.
    ///   - pause: Longer than the service behind needs to recover.
    ///   - clock: The clock that measures intervals; another one in tests.
    public static func circuitBreaker<Time: Clock<Duration>>(
        after failures: Int,
        pause: Duration,
        clock: Time = ContinuousClock()
    ) -> ListenerOption {
        precondition(failures >= 1, "a circuit breaker opens after one failure or more")
        let breaker = Locked(CircuitBreaker<Time.Instant>(failures: failures, pause: pause))
        return around { event, next in
            let began = clock.now
            guard breaker.withLock({ $0.passes(at: began) }) else { throw CircuitOpen() }
            do {
                try await next(event)
                breaker.withLock { $0.succeeded() }
            } catch {
                let now = clock.now
                breaker.withLock { $0.failed(at: now) }
                throw error
            }
        }
    }
}

/// The error of a call that a circuit breaker has stopped.
public struct CircuitOpen: Error, Sendable, Hashable, CustomStringConvertible {
    /// What it means.
    public var description: String { "not called: the listener has failed too often in a row" }
}

/// Decides whether calls pass. Pure.
struct CircuitBreaker<Instant: InstantProtocol>: Sendable where Instant.Duration == Duration {
    let failures: Int
    let pause: Duration
    private var inARow = 0
    /// When a call may pass again; nil while all do.
    private var opens: Instant?

    init(failures: Int, pause: Duration) {
        (self.failures, self.pause) = (failures, pause)
    }

    mutating func passes(at now: Instant) -> Bool {
        guard let opens else { return true }
        guard now >= opens else { return false }
        // One call only; the next one after another pause, unless this one ends before.
        self.opens = now.advanced(by: pause)
        return true
    }

    mutating func succeeded() {
        (inARow, opens) = (0, nil)
    }

    mutating func failed(at now: Instant) {
        inARow += 1
        if inARow >= failures { opens = now.advanced(by: pause) }
    }
}
