import AsyncEventBus
import TestSupport

/// A listener that notes what it is called for, and can be made to wait or to fail.
final class Hearer: Sendable {
    struct Call: Sendable, Hashable {
        let text: String
        let attempt: Int
    }

    struct Failure: Error, CustomStringConvertible {
        let description = "made to fail"
    }

    private struct State {
        var calls: [Call] = []
        var finished: [String] = []
        var failing: Set<String> = []
    }

    private let state = Locked(State())
    private let gate = Gate()

    /// - Parameter isOpen: Whether calls return at once, and not only after ``open()``.
    init(isOpen: Bool = true) {
        if isOpen { gate.open() }
    }

    /// All calls that began, in order.
    var calls: [Call] { state.withLock { $0.calls } }

    /// The payloads that it has dealt with, in order.
    var finished: [String] { state.withLock { $0.finished } }

    /// Lets calls return.
    func open() { gate.open() }

    /// Lets calls for these payloads fail; those for others no longer do.
    func fail(at texts: Set<String>) { state.withLock { $0.failing = texts } }

    /// Adds it to a bus, as a durable listener if it has a name.
    @discardableResult
    func join(
        _ bus: EventBus,
        _ name: String?,
        to pattern: EventPattern = "**",
        delivery: DeliveryMode = .serial,
        capacity: Int = 1_024,
        retry: RetryPolicy = .never
    ) throws -> Listener {
        let body: Listener.Body = { [self] event in
            let text = event.payload.text ?? "?"
            state.withLock { $0.calls.append(Call(text: text, attempt: event.attempt)) }
            try await gate.passUnlessCancelled()
            try state.withLock { state in
                if state.failing.contains(text) { throw Failure() }
                state.finished.append(text)
            }
        }
        guard let name else {
            return bus.on(pattern, delivery: delivery, .capacity(capacity), .retry(retry), body: body)
        }
        return try bus.on(pattern, durable: name, delivery: delivery, .capacity(capacity), .retry(retry), body: body)
    }
}
