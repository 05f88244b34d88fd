internal import FaultKit
package import Mosquitto

/// What the seed of a history decides before its first step.
package struct Setup: Sendable, Hashable, CustomStringConvertible {
    /// The versions that the bridge speaks with the first and the second broker.
    package var versions: [ProtocolVersion]
    /// Whether messages come to the first broker with an identity, as from another bridge.
    package var hasIdentities: Bool

    /// Whether a second bridge hears at the second broker what the first one publishes there.
    package var hasFarBridge: Bool
    /// Whether the second bridge passes that on to the first broker, where the first bridge hears it. Without identities it
    /// would go round.
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

    /// The setup of a history. Drawn apart from the steps, so that it stays when steps are taken out.
    package init(seed: UInt64) {
        var random = SplitMix64(seed: ~seed)
        versions = (0..<2).map { _ in random.chance(1, in: 4) ? .v3_1_1 : .v5 }
        hasIdentities = random.chance(3, in: 4)
        hasFarBridge = random.chance(1, in: 2)
        isRing = hasFarBridge && versions == [.v5, .v5] && random.chance(2, in: 3)
    }

    /// The receivers at which nothing tells doubles apart from new messages.
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

    /// How many listeners there are: those of the near bridge come first.
    var listeners: Int { hasFarBridge ? 6 : 3 }
}
