import EventBridgeTesting
import Site
import Testing

@Suite("the pressure rule")
struct PressureRuleTests {
    @Test(
        "it stops a pump above 6 bar and starts it below 2",
        arguments: [(6.5, [false]), (6.0, []), (4.0, []), (2.0, []), (1.5, [true])]
    )
    func thresholds(bar: Double, runs: [Bool]) async throws {
        let test = try TestBridge(routes: Site.gatewayRoutes, replyingWithin: Site.answers)
        try Site.addPressureRule(to: test.bus)
        await test.receive("meters/7/pressure", try Payload(json: Reading(bar: bar)), from: "local")
        let orders = test.published(to: "local").filter { $0.topic == "pumps/7/command" }
        #expect(orders.map(\.payload) == runs.map { Array(#"{"run":\#($0)}"#.utf8) })
    }

    @Test("the cloud sees each reading")
    func cloud() async throws {
        let test = try TestBridge(routes: Site.gatewayRoutes, replyingWithin: Site.answers)
        await test.receive("meters/7/pressure", #"{"bar":4}"#, from: "local")
        #expect(test.published(to: "cloud").map(\.topic) == ["sites/1/meters/7/pressure"])
    }
}
