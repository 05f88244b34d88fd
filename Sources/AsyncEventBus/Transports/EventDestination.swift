/// The receivers of the events of one name on one bus: looked up once, and again only after listeners, patterns or
/// transports have changed.
///
/// For transports, which emit many events of few names. ``EventBus/destination(for:)`` creates it; any thread may use
/// it, as long as the bus exists. An unused destination retains receivers that have left the bus until its next use,
/// which does no harm. Using it on another bus is a programmer's mistake and traps.
///
/// SAFETY: only `Registry` touches `receivers` and `version`, under the lock that guards the registry that created this
/// destination: it refuses destinations of other registries.
public final class EventDestination: @unchecked Sendable {
    /// The name of the events.
    public let name: EventName

    /// Identifies the registry.
    let owner: Registry.Identity
    private var receivers: Receivers
    private var version: UInt64

    init(name: EventName, owner: Registry.Identity, receivers: Receivers, version: UInt64) {
        self.name = name
        self.owner = owner
        self.receivers = receivers
        self.version = version
    }

    /// Returns the current receivers. Call it only under the lock of the registry.
    ///
    /// - Parameter outdated: Takes the former receivers, for the caller to release outside the lock. They may hold the
    ///   last reference to a listener that has left the bus, and so to a user's objects.
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
