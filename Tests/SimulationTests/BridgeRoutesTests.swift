import Testing

@testable import Simulation

@Suite("BridgeRoutes")
struct BridgeRoutesTests {
    @Test("each edition wants what its filters match, and each two of them overlap in part")
    func editions() {
        let wanted = (0..<BridgeRoutes.editions).map { edition in
            let routes = BridgeRoutes.near(edition, isRing: false)
            return Set((0..<3).filter { routes.want("in/\($0)", from: "first") })
        }
        #expect(wanted == [[0, 1, 2], [0, 1], [1, 2]])
        #expect(BridgeRoutes.near(0, isRing: false).filters == ["first": ["in/+"]])
        #expect(!BridgeRoutes.near(0, isRing: false).want("in/0", from: "second"))
    }

    @Test("in a ring each bridge hears what the other one passes on")
    func ring() {
        #expect(BridgeRoutes.near(0, isRing: true).filters == ["first": ["echo/+", "in/+"]])
        #expect(BridgeRoutes.far(isRing: true).filters == ["second": ["copy/+", "out/+", "state/+"]])
        #expect(BridgeRoutes.far(isRing: true).routes.count == 5)
    }
}
