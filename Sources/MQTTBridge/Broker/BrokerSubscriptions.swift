import AsyncEventBus
import Locking
import MessageStore
import Mosquitto

/// The subscriptions of a bridge at one broker, which change with its routes, and their record in the store.
final class BrokerSubscriptions: Sendable {
    /// The difference between two plans.
    struct Change {
        let added: [SubscriptionRequest]
        let ended: [String]
    }

    private struct State {
        private(set) var plan: SubscriptionPlan
        /// The former plans, until the broker has ended their subscriptions; the last few, since a broker that is away ends none.
        private(set) var former: [SubscriptionPlan] = []

        /// The most former plans.
        private static let most = 16

        init(plan: SubscriptionPlan) {
            self.plan = plan
        }

        mutating func use(_ next: SubscriptionPlan, endsAny: Bool) {
            if endsAny { former = former.suffix(Self.most - 1) + [plan] }
            plan = next
        }

        mutating func settled() { former = [] }

        /// Whether the plan has exactly these requests, in any order.
        func isMade(of requests: [SubscriptionRequest]) -> Bool {
            BrokerSubscriptions.byFilter(requests) == BrokerSubscriptions.byFilter(plan.requests)
        }
    }

    private let state: Locked<State>
    /// Nil if no later run can resume the session. A lock of its own, since the client's thread reads the plan and must not
    /// wait for the store. The store is called under it, which rule 2 forbids elsewhere: a record that a change and an answer
    /// of the broker write at the same time would lose filters. A store does not call its bridge.
    private let memory: Locked<SessionMemory?>

    init(_ plan: SubscriptionPlan, _ memory: SessionMemory?) {
        state = Locked(State(plan: plan))
        self.memory = Locked(memory)
    }

    /// Whether a subscription matches a topic, or one that is ending.
    func covers(_ topic: String) -> Bool {
        state.withLock { state in state.plan.covers(topic) || state.former.contains { $0.covers(topic) } }
    }

    /// See ``SubscriptionPlan/marksKept(on:)``.
    func marksKept(on topic: String) -> Bool { state.withLock { $0.plan.marksKept(on: topic) } }

    /// Records the filters of a plan in the store, before they are subscribed, and makes the plan the current one.
    ///
    /// - Throws: `StoreError` if the store cannot be written; then nothing has changed.
    /// - Returns: The subscriptions to make and to end; nil for none.
    func use(_ plan: SubscriptionPlan) throws(StoreError) -> Change? {
        try memory.withLock { memory throws(StoreError) in
            let (known, wanted) = state.withLock { (Self.byFilter($0.plan.requests), Self.byFilter(plan.requests)) }
            let change = Change(
                added: plan.requests.filter { known[ExactText($0.filter)] != $0 },
                ended: known.keys.filter { wanted[$0] == nil }.map(\.text).sorted()
            )
            if change.added.isEmpty, change.ended.isEmpty { return nil }
            memory = try memory?.next(plan.requests.map(\.filter))
            state.withLock { $0.use(plan, endsAny: !change.ended.isEmpty) }
            return change
        }
    }

    /// The broker has answered, and holds these subscriptions and no others: deletes former filters from the record.
    ///
    /// - Returns: False if the plan has changed meanwhile, so that another answer follows.
    func settled(_ requests: [SubscriptionRequest]) throws(StoreError) -> Bool {
        try memory.withLock { memory throws(StoreError) in
            let isCurrent = state.withLock { state in
                guard state.isMade(of: requests) else { return false }
                state.settled()
                return true
            }
            if isCurrent { try memory?.settled() }
            return isCurrent
        }
    }

    private static func byFilter(_ requests: [SubscriptionRequest]) -> [ExactText: SubscriptionRequest] {
        Dictionary(requests.map { (ExactText($0.filter), $0) }) { $1 }
    }
}
