import Testing

@testable import Mosquitto

@Suite("hold and park")
struct HoldStateMachineTests {
    private let start = ContinuousClock.now
    private var deadline: ContinuousClock.Instant { start + .seconds(5) }
    private var machine = HoldStateMachine()

    @Test("at first nothing is held")
    func fresh() {
        var machine = machine
        #expect(machine.state(at: start) == .free)
        #expect(machine.state(at: start).deadline == nil)
        #expect(machine.state(at: start).reasonNotToConnect == nil)
    }

    @Test("a hold becomes a park at its time, and not before")
    func limit() {
        var machine = machine
        machine.held(until: deadline)
        #expect(machine.state(at: start) == .held(until: deadline))
        #expect(machine.state(at: start).deadline == deadline)
        #expect(machine.state(at: deadline - .nanoseconds(1)).parkReason == nil)
        #expect(machine.state(at: deadline).parkReason == .held)
        #expect(machine.state(at: deadline).deadline == nil)
    }

    @Test("a park stays one, whatever the clock says")
    func stays() {
        var machine = machine
        machine.held(until: deadline)
        #expect(machine.state(at: deadline) == .parked(.held))
        #expect(machine.state(at: start) == .parked(.held))
    }

    @Test("one more hold does not move the time, and one resumption ends them all")
    func idempotent() {
        var machine = machine
        machine.held(until: deadline)
        machine.held(until: deadline + .seconds(5))
        #expect(machine.state(at: deadline) == .parked(.held))
        machine.held(until: deadline + .seconds(10))
        #expect(machine.state(at: deadline) == .parked(.held))
        machine.resumed()
        #expect(machine.state(at: deadline) == .free)
    }

    @Test("going on without a hold changes nothing, and a hold after it counts")
    func harmless() {
        var machine = machine
        machine.resumed()
        #expect(machine.state(at: start) == .free)
        machine.held(until: deadline)
        #expect(machine.state(at: start) == .held(until: deadline))
    }

    @Test("a refusal parks at once, also during a hold, which does not end it")
    func refusal() {
        var machine = machine
        machine.held(until: deadline)
        machine.refused(resumptions: machine.resumptions)
        #expect(machine.state(at: start) == .parked(.refused))
        machine.held(until: deadline)
        #expect(machine.state(at: deadline) == .parked(.refused))
        machine.resumed()
        #expect(machine.state(at: start) == .free)
    }

    @Test("who asked to go on while messages were refused is not left waiting")
    func race() {
        var machine = machine
        let before = machine.resumptions
        machine.resumed()
        machine.refused(resumptions: before)
        #expect(machine.state(at: start) == .free)
        machine.refused(resumptions: machine.resumptions)
        #expect(machine.state(at: start) == .parked(.refused))
    }

    @Test("during a hold no connection is begun, however short it is still")
    func connecting() {
        var machine = machine
        machine.held(until: deadline)
        #expect(machine.state(at: start).reasonNotToConnect == .held)
        #expect(machine.state(at: deadline).reasonNotToConnect == .held)
        machine.refused(resumptions: 0)
        #expect(machine.state(at: deadline).reasonNotToConnect == .refused)
    }

    @Test(
        "a hold is at most half as long as the keep-alive, where there is one",
        arguments: [(5, 30, 5), (5, 5, 2.5), (60, 30, 15), (60, 0, 60), (0, 30, 0)]
    )
    func longest(limit: Double, keepAlive: Double, longest: Double) {
        var options = ClientOptions()
        options.timeouts.hold = .seconds(limit)
        options.timeouts.keepAlive = .seconds(keepAlive)
        #expect(options.timeouts.longestHold == .seconds(longest))
    }
}
