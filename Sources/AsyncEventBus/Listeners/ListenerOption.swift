/// A setting of a listener other than its default.
///
/// ```swift
/// bus.on("meter.*", delivery: .serial, .capacity(100), .retry(3), .timeout(.seconds(2))) { event in … }
/// ```
///
/// Of two options for the same setting the later one counts.
public struct ListenerOption: Sendable {
    private let apply: @Sendable (inout ListenerSettings) -> Void

    init(_ apply: @escaping @Sendable (inout ListenerSettings) -> Void) {
        self.apply = apply
    }

    /// Bounds the mailbox to a number of waiting events, 1 or more. The default of 1,024 holds a burst of a small site.
    public static func capacity(_ events: Int) -> ListenerOption {
        precondition(events >= 1, "a listener's mailbox holds one event or more")
        return ListenerOption { $0.capacity = events }
    }

    /// Bounds the mailbox to a number of waiting bytes, 1 or more: names, payloads and attributes of the events.
    ///
    /// The default, ``Listener/defaultCapacityBytes``, holds the default number of events of 64 KiB each, and is no more
    /// than a small machine can spare for a listener that does not keep up.
    public static func capacityBytes(_ bytes: Int) -> ListenerOption {
        precondition(bytes >= 1, "a listener's mailbox holds one byte or more")
        return ListenerOption { $0.capacityBytes = bytes }
    }

    /// Sets the policy for the next event when the mailbox is full; the default is ``OverflowPolicy/dropOldest``.
    public static func whenFull(_ policy: OverflowPolicy) -> ListenerOption { ListenerOption { $0.whenFull = policy } }

    /// Cancels the task of a call after this time; see ``Listener/timeout``. Nil, the default, is no limit.
    public static func timeout(_ limit: Duration?) -> ListenerOption { ListenerOption { $0.timeout = limit } }

    /// Calls the listener again for an event if a call fails, up to a number of calls in all, 1 or more.
    ///
    /// - Parameters:
    ///   - attempts: The number of calls in all, 1 or more.
    ///   - shortest: See ``RetryPolicy``.
    ///   - longest: See ``RetryPolicy``.
    public static func retry(
        _ attempts: Int,
        shortest: Duration = .seconds(1),
        longest: Duration = .seconds(60)
    ) -> ListenerOption {
        retry(RetryPolicy(attempts: attempts, shortest: shortest, longest: longest))
    }

    /// Calls the listener again for an event if a call fails, as far as a policy allows.
    public static func retry(_ policy: RetryPolicy) -> ListenerOption { ListenerOption { $0.retry = policy } }

    /// Begins calls on the thread that emits: for work that takes microseconds and never blocks. See ``Listener``.
    public static func immediate(_ isImmediate: Bool = true) -> ListenerOption {
        ListenerOption { $0.isImmediate = isImmediate }
    }

    /// Returns a function that runs all functions around a listener.
    static func body(_ body: @escaping Listener.Body, within middleware: [Middleware]) -> Listener.Body {
        middleware.reversed().reduce(body) { next, middleware in
            { event in try await middleware(event, next) }
        }
    }

    static func settings(_ options: [ListenerOption]) -> ListenerSettings {
        options.reduce(into: ListenerSettings()) { settings, option in option.apply(&settings) }
    }
}

/// The settings of a listener.
struct ListenerSettings: Sendable {
    var capacity = 1_024
    var capacityBytes = Listener.defaultCapacityBytes
    var whenFull = OverflowPolicy.dropOldest
    var timeout: Duration?
    var retry = RetryPolicy.never
    var isImmediate = false
    /// The outermost first.
    var middleware: [ListenerOption.Middleware] = []
}
