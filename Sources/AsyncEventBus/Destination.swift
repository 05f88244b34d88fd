/// Who hears the events of one name on one bus: found once, and found again only after listeners, patterns or
/// transports have changed.
///
/// For transports, which emit many events of few names. May be kept for as long as the bus: what has left the bus, an
/// unused destination holds until it is used again, without harm.
// SAFETY: `targets` and `version` are only touched by `Registry`, under the lock that guards the one which made this
// destination: it refuses those of others.
package final class Destination: @unchecked Sendable {
    /// The name of the events.
    package let name: EventName

    /// Tells registries apart.
    let owner: Registry.Identity
    private var targets: Targets
    private var version: UInt64

    init(name: EventName, owner: Registry.Identity, targets: Targets, version: UInt64) {
        self.name = name
        self.owner = owner
        self.targets = targets
        self.version = version
    }

    /// The targets as they are now. To be called under the lock of the registry only.
    func targets(in registry: inout Registry) -> Targets {
        precondition(owner === registry.identity, "a destination is used on the bus that made it")
        if version != registry.version {
            targets = registry.targetsToKeep(for: name)
            version = registry.version
        }
        return targets
    }
}
