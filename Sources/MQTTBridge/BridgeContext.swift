import AsyncEventBus
import Locking
import Logging
import Mosquitto

/// What the parts of one bridge share.
struct BridgeContext: Sendable {
    let bus: EventBus
    let table: RouteTable
    let guards: Guards
    let reporter: StatusReporter
    let readiness: Readiness
    let options: BridgeOptions
    let logger: Logger
}

/// Knows whether every broker has answered to our subscriptions, and resumes those who wait for that.
final class Readiness: Sendable {
    private struct State {
        var missing: Set<String>
        var refusals: [String: SubscriptionResult] = [:]
        var failure: (any Error)?
        var waiters: [UInt64: CheckedContinuation<Void, any Error>] = [:]
        var nextToken: UInt64 = 0

        var isDecided: Bool { missing.isEmpty || failure != nil }

        var outcome: Result<Void, any Error> {
            if let failure { return .failure(failure) }
            guard let refusal = refusals.values.first else { return .success(()) }
            return .failure(
                ClientError(
                    .notAuthorized,
                    operation: "subscribe to \"\(escapedForLog(refusal.request.filter))\"",
                    advice: "Check the broker's access rules",
                    reason: refusal.reason
                )
            )
        }
    }

    private let state: Locked<State>

    init(brokers: [String]) {
        state = Locked(State(missing: Set(brokers)))
    }

    var isReady: Bool { state.withLock { $0.missing.isEmpty && $0.refusals.isEmpty } }

    func subscribed(_ broker: String, refusal: SubscriptionResult?) {
        decide { state in
            state.missing.remove(broker)
            state.refusals[broker] = refusal
        }
    }

    func lost(_ broker: String) {
        state.withLock { state in
            state.missing.insert(broker)
            state.refusals[broker] = nil
        }
    }

    func ended(_ error: any Error) {
        decide { $0.failure = error }
    }

    private func decide(_ change: (inout State) -> Void) {
        let (waiters, result) = state.withLock {
            state -> ([CheckedContinuation<Void, any Error>], Result<Void, any Error>) in
            change(&state)
            guard state.isDecided else { return ([], .success(())) }
            defer { state.waiters.removeAll() }
            return (Array(state.waiters.values), state.outcome)
        }
        for waiter in waiters { waiter.resume(with: result) }
    }

    func wait() async throws {
        let token = state.withLock { state in
            state.nextToken += 1
            return state.nextToken
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let outcome = state.withLock { state -> Result<Void, any Error>? in
                    if state.isDecided { return state.outcome }
                    state.waiters[token] = continuation
                    return nil
                }
                if let outcome { continuation.resume(with: outcome) } else if Task.isCancelled { cancel(token) }
            }
        } onCancel: {
            cancel(token)
        }
    }

    private func cancel(_ token: UInt64) {
        let waiter = state.withLock { $0.waiters.removeValue(forKey: token) }
        waiter?.resume(throwing: CancellationError())
    }
}
