internal import FaultKit
package import Mosquitto

/// The configuration of a history, which its seed determines.
package struct Setup: Sendable, Hashable, CustomStringConvertible {
    /// The protocol versions of the first and the second broker.
    package var versions: [ProtocolVersion]
    /// Whether messages published at the first broker carry an identity, as from another bridge.
    package var hasIdentities: Bool

    /// Whether a second bridge subscribes at the second broker to the first bridge's messages.
    package var hasFarBridge: Bool
    /// Whether the second bridge forwards these messages to the first broker, where the first bridge receives them. Without
    /// identities, that is a loop.
    package var isRing: Bool

    package init(
        versions: [ProtocolVersion] = [.v5, .v5],
        hasIdentities: Bool = true,
        hasFarBridge: Bool = false,
        isRing: Bool = false
    ) {
        (self.versions, self.hasIdentities) = (versions, hasIdentities)
        (self.hasFarBridge, self.isRing) = (hasFarBridge, isRing)
    }

    /// Creates the setup of a history. It is independent of the steps, so shortening a history keeps it.
    package init(seed: UInt64) {
        var random = SplitMix64(seed: ~seed)
        versions = (0..<2).map { _ in random.chance(1, in: 4) ? .v3_1_1 : .v5 }
        hasIdentities = random.chance(3, in: 4)
        hasFarBridge = random.chance(1, in: 2)
        isRing = hasFarBridge && versions == [.v5, .v5] && random.chance(2, in: 3)
    }

    /// The receivers that cannot distinguish duplicates from new messages.
    var unrecognised: [String] {
        let isLostAtFirst = versions[0] == .v3_1_1 || !hasIdentities
        let isLostAtSecond = versions[1] == .v3_1_1
        var receivers: [String] = []
        if isLostAtFirst { receivers += ["listener 0", "listener 1", "copy at second", "in at first"] }
        if isLostAtFirst || isLostAtSecond { receivers.append("far copy") }
        if isLostAtSecond { receivers += ["far out", "far state"] }
        return receivers
    }

    package var description: String {
        let bridges = isRing ? "two bridges in a ring" : hasFarBridge ? "two bridges" : "one bridge"
        return "MQTT \(versions[0].rawValue) and \(versions[1].rawValue), \(bridges), "
            + "messages \(hasIdentities ? "with" : "without") identities"
    }

    /// The number of listeners of all bridges.
    var listeners: Int { hasFarBridge ? 6 : 3 }
}
