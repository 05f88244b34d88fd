import AsyncEventBus
import Locking
import Logging

/// The objects that all parts of one bridge share.
struct BridgeContext: Sendable {
    let bus: EventBus
    let routes: CurrentRoutes
    let loopGuard: LoopGuard
    let reporter: StatusReporter
    let readiness: Readiness
    let states = Locked(RetainedStates())
    let end = EndState()
    let options: BridgeOptions
    let logger: Logger
    var timing = Timing.system
}
