/// The receivers of the events of one name on one bus: found once, and found again only after listeners, patterns or
/// transports have changed.
///
/// For transports, which emit many events of few names: made with ``EventBus/destination(for:)``, kept, and used from any
/// thread. It may be kept as long as the bus: an unused destination holds receivers that have left the bus until it is
/// used again, which does no harm. To use it on another bus is a programmer's mistake, and traps.
///
/// SAFETY: `receivers` and `version` are only touched by `Registry`, under the lock that guards the registry which made
/// this destination: it refuses the destinations of others.
public final class EventDestination: @unchecked Sendable {
    /// The name of the events.
    public let name: EventName

    /// Tells registries apart.
    let owner: Registry.Identity
    private var receivers: Receivers
    private var version: UInt64

    init(name: EventName, owner: Registry.Identity, receivers: Receivers, version: UInt64) {
        self.name = name
        self.owner = owner
        self.receivers = receivers
        self.version = version
    }

    /// The receivers as they are now. To be called under the lock of the registry only.
    ///
    /// - Parameter outdated: Takes the receivers as they were before. They may hold the last reference to a listener that
    ///   has left the bus, and so to a user's objects: to be let go of when the lock is released.
    func receivers(in registry: inout Registry, outdated: inout [Receivers]) -> Receivers {
        precondition(owner === registry.identity, "a destination is used on the bus that made it")
        if version != registry.version {
            outdated.append(receivers)
            receivers = registry.receiversToKeep(for: name)
            version = registry.version
        }
        return receivers
    }
}
