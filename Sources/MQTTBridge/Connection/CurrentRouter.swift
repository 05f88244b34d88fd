import AsyncEventBus
import Locking

/// The current router of a bridge, for its current routes and brokers. It is replaced as a whole, and on the bus in one
/// step, so that each event goes by one router.
final class CurrentRouter: Sendable {
    private struct State {
        var router: OutboundRouter
        var isAttached = false
    }

    private let bus: EventBus
    private let routes: CurrentRoutes
    private let state: Locked<State>

    init(_ context: BridgeContext, writer: StoreWriter?) {
        bus = context.bus
        routes = context.routes
        state = Locked(State(router: OutboundRouter(context.routes.now, context: context, writer: writer)))
    }

    var now: OutboundRouter { state.withLock { $0.router } }

    func add(_ outlet: BrokerOutlet) {
        exchange { table, outlets in outlets[outlet.broker] = outlet }
    }

    func remove(_ broker: String) {
        exchange { table, outlets in outlets[broker] = nil }
    }

    func use(_ table: RouteTable) {
        routes.exchange(for: table)
        exchange { current, outlets in current = table }
    }

    private func exchange(_ change: (inout RouteTable, inout [String: BrokerOutlet]) -> Void) {
        state.withLock { state in
            var (table, outlets) = (state.router.table, state.router.outlets)
            change(&table, &outlets)
            let next = state.router.next(table, outlets: outlets)
            if state.isAttached {
                bus.exchange(
                    state.router,
                    from: state.router.table.outboundPatterns,
                    for: next,
                    to: next.table.outboundPatterns
                )
            }
            state.router = next
        }
    }

    /// Starts to receive the events of the bus.
    func attach() {
        state.withLock { state in
            guard !state.isAttached else { return }
            state.isAttached = true
            bus.attach(state.router, to: state.router.table.outboundPatterns)
        }
    }

    /// Stops receiving events, and releases the brokers.
    func close() {
        detach()
        exchange { table, outlets in outlets = [:] }
    }

    /// Stops receiving events.
    func detach() {
        state.withLock { state in
            guard state.isAttached else { return }
            state.isAttached = false
            bus.detach(state.router, from: state.router.table.outboundPatterns)
        }
    }
}
