import Locking
import Mosquitto

/// Tracks which brokers have acknowledged all subscriptions, and resumes the tasks that wait for it.
final class Readiness: Sendable {
    private struct State {
        var brokers: Set<String>
        /// The brokers whose answer is outstanding.
        var missing: Set<String>
        var refusals: [String: SubscriptionResult] = [:]
        var failure: (any Error)?
        var waiters = Waiters<Void>()

        var isDecided: Bool { missing.isEmpty || failure != nil }

        var outcome: Result<Void, any Error> {
            if let failure { return .failure(failure) }
            guard let refusal = refusals.values.first else { return .success(()) }
            // Only reason code 0x87 means missing rights; 0x80, the only failure code of MQTT 3.1.1, is unspecific.
            let isNotAuthorized = refusal.reason == .notAuthorized
            return .failure(
                ClientError(
                    refusal.isHangUp ? .closedByBroker : isNotAuthorized ? .notAuthorized : .rejected,
                    operation: "subscribe to \"\(escapedForLog(refusal.request.filter))\"",
                    detail: isNotAuthorized ? "" : refusal.refusal ?? "",
                    advice: isNotAuthorized
                        ? "Check the broker's access rules"
                        : "Check the broker's access rules, and how many and which filters it takes",
                    reason: isNotAuthorized ? refusal.reason : nil
                )
            )
        }
    }

    private let state: Locked<State>

    init(brokers: [String]) {
        state = Locked(State(brokers: Set(brokers), missing: Set(brokers)))
    }

    var isReady: Bool { state.withLock { $0.missing.isEmpty && $0.refusals.isEmpty } }

    func subscribed(_ broker: String, refusal: SubscriptionResult?) {
        decide { state in
            guard state.brokers.contains(broker) else { return }
            state.missing.remove(broker)
            state.refusals[broker] = refusal
        }
    }

    func add(_ broker: String) {
        state.withLock { state in
            state.brokers.insert(broker)
            state.missing.insert(broker)
        }
    }

    func remove(_ broker: String) {
        decide { state in
            state.brokers.remove(broker)
            state.missing.remove(broker)
            state.refusals[broker] = nil
        }
    }

    func lost(_ broker: String) {
        state.withLock { state in
            guard state.brokers.contains(broker) else { return }
            state.missing.insert(broker)
            state.refusals[broker] = nil
        }
    }

    func ended(_ error: any Error) {
        decide { $0.failure = error }
    }

    private func decide(_ change: (inout State) -> Void) {
        let (waiters, result) = state.withLock { state -> ([Waiters<Void>.Waiter], Result<Void, any Error>) in
            change(&state)
            guard state.isDecided else { return ([], .success(())) }
            return (state.waiters.removeAll { _ in true }, state.outcome)
        }
        for waiter in waiters { waiter.resume(with: result) }
    }

    func wait() async throws {
        try await state.wait(for: (), in: \.waiters) { state, _ in state.isDecided ? state.outcome : nil }
    }
}
