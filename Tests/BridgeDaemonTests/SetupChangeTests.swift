import MQTTBridge
import SQLiteStore
import Testing

@testable import BridgeDaemon

@Suite("changes of a setup")
struct SetupChangeTests {
    private func setup(_ names: [String] = ["near"], _ routes: [Route] = []) throws -> Setup {
        Setup(
            brokers: try names.map { try Broker("mqtt://\($0).example", name: $0) },
            routes: routes,
            options: BridgeOptions()
        )
    }

    @Test("a setup that is read twice has not changed, although a generated client identifier differs")
    func same() throws {
        let (first, second) = (try setup(), try setup())
        #expect(first.brokers[0].options.clientID != second.brokers[0].options.clientID)
        #expect(try SetupChange(from: first, to: second).isEmpty)
    }

    @Test("routes and brokers that come and go are named, and the order of routes counts")
    func differences() throws {
        let (a, b, c) = (
            Route("a", "a", broker: "near"), Route("b", "b", broker: "near"), Route("c", "c", broker: "far")
        )
        let old = try setup(["near", "away"], [a, b])
        let change = try SetupChange(from: old, to: setup(["near", "far"], [b, c]))
        #expect(change.routes == [b, c])
        #expect(change.addedRoutes == [c])
        #expect(change.removedRoutes == [a])
        #expect(change.addedBrokers.map(\.name) == ["far"])
        #expect(change.removedBrokers == ["away"])
        #expect(!change.isEmpty)
        #expect(try !SetupChange(from: old, to: setup(["near", "away"], [b, a])).isEmpty)
    }

    @Test("without routes the one that maps everything is meant")
    func everything() throws {
        let change = try SetupChange(from: setup(["near"], [Route("a", "a", broker: "near")]), to: setup())
        #expect(change.routes == [.everything(broker: "near")])
    }

    @Test("a change of a broker, of the limits or of the store needs a new process")
    func restart() throws {
        let changes: [(part: String, change: (inout Setup) -> Void)] = [
            ("broker \"near\"", { $0.brokers[0].options.password = .file("/other") }),
            ("broker \"near\"", { $0.brokers[0].options.tls.applicationProtocol = "mqtt" }),
            ("broker \"near\"", { $0.brokers[0].options.clientID = "given" }),
            ("broker \"near\"", { $0.brokers[0].drainRate = 7 }),
            ("the limits", { $0.options.maximumHops = 3 }),
            ("the store", { $0.store = SQLiteStoreOptions(path: "/other") }),
        ]
        let old = try setup()
        for (part, change) in changes {
            var new = old
            change(&new)
            let error = #expect(throws: SetupChange.NeedsRestart.self) { try SetupChange(from: old, to: new) }
            #expect(error?.parts == [part])
        }
    }
}
