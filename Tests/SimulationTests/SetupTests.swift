import Mosquitto
import Testing

@testable import Simulation

@Suite("Setup")
struct SetupTests {
    @Test("a seed decides it, and all setups occur")
    func seeds() {
        #expect(Setup(seed: 7) == Setup(seed: 7))
        #expect(Set((1...200).map { Setup(seed: $0) }).count == 18)
    }

    @Test("a ring has identities at both brokers, and two bridges")
    func ring() {
        let rings = (1...200).map { Setup(seed: $0) }.filter(\.isRing)
        #expect(!rings.isEmpty && rings.allSatisfy { $0.versions == [.v5, .v5] && $0.hasFarBridge })
    }

    @Test("doubles are known by their identity where it travels", arguments: [true, false])
    func identities(hasIdentities: Bool) {
        let both = Setup(versions: [.v5, .v5], hasIdentities: hasIdentities)
        #expect(both.unrecognised.contains("listener 0") != hasIdentities)
        #expect(Setup(versions: [.v3_1_1, .v5], hasIdentities: hasIdentities).unrecognised.contains("copy at second"))
    }
}
