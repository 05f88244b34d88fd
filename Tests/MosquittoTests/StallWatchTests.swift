import Testing

@testable import Mosquitto

@Suite("the watch over owed answers")
struct StallWatchTests {
    private typealias Instant = ContinuousClock.Instant

    private let start = Instant.now
    private var watch = StallWatch(timeout: .seconds(15))

    private func at(_ seconds: Double) -> Instant { start + .seconds(seconds) }

    /// What the looks of whole seconds in a span come to.
    private mutating func looks(_ span: ClosedRange<Int>, bytes: Int = 0) -> [StallWatch.Action] {
        span.compactMap { watch.look(at: at(Double($0)), bytesInFlight: bytes) }
    }

    @Test(
        "reports a missing answer of a silent broker once, within 5 s, and cuts after the time-out",
        arguments: [
            Stall.Hop.suback, .unsuback, .puback, .pingresp,
        ]
    )
    mutating func silence(hop: Stall.Hop) {
        watch.heard(at: at(0))
        watch.owes(hop, at: at(0))
        #expect(looks(1...3) == [.probe])
        #expect(looks(4...14) == [.report(hop, age: .seconds(4))])
        #expect(looks(15...15) == [.cut(hop, age: .seconds(15))])
    }

    @Test(
        "reports what no packet of the broker's ends without a probe",
        arguments: [
            Stall.Hop.nameLookup, .connect, .connack, .write,
        ]
    )
    mutating func steps(hop: Stall.Hop) {
        watch.owes(hop, at: at(0))
        #expect(looks(1...14) == [.report(hop, age: .seconds(4))])
        #expect(looks(15...15) == [.cut(hop, age: .seconds(15))])
    }

    @Test("asks by a probe where bytes go on arriving, and reports when only the probe is answered")
    mutating func leftOut() {
        watch.owes(.puback, at: at(0))
        var actions: [StallWatch.Action] = []
        for second in 1...6 {
            watch.heard(at: at(Double(second)))
            if let action = watch.look(at: at(Double(second))) { actions.append(action) }
            if actions == [.probe], second == 4 { watch.probeAnswered() }
        }
        #expect(actions == [.probe, .report(.puback, age: .seconds(5))])
    }

    @Test("does not report an answer that is behind much that arrives")
    mutating func slowLine() {
        watch.owes(.puback, at: at(0))
        var actions: [StallWatch.Action] = []
        for second in 1...600 {
            watch.heard(at: at(Double(second)))
            if let action = watch.look(at: at(Double(second))) { actions.append(action) }
        }
        #expect(actions == [.probe])
    }

    @Test("does not report while answers of the kind go on coming, however old the oldest is")
    mutating func progress() {
        for second in 0..<600 {
            watch.owes(.puback, at: at(Double(second)))
            #expect(watch.answered(.puback, owesMore: true, at: at(Double(second) + 0.5)) == nil)
            watch.heard(at: at(Double(second) + 0.5))
            #expect(watch.look(at: at(Double(second) + 0.9)) == nil)
        }
    }

    @Test("gives a slow line the time that it needs for the bytes in flight")
    mutating func allowance() {
        watch.owes(.puback, at: at(0))
        watch.heard(at: at(0))
        #expect(looks(1...13, bytes: 100_000) == [.probe])
        #expect(looks(14...24, bytes: 100_000) == [.report(.puback, age: .seconds(14))])
        #expect(looks(25...25, bytes: 100_000) == [.cut(.puback, age: .seconds(25))])
    }

    @Test("names the cause: a peer that takes no bytes owes no answer to them")
    mutating func cause() {
        watch.owes(.puback, at: at(0))
        watch.owes(.write, at: at(0))
        #expect(looks(4...10) == [.report(.write, age: .seconds(4))])
    }

    @Test("tells how long a reported answer was missing, also when it comes on the next connection")
    mutating func recovery() {
        watch.owes(.puback, at: at(0))
        #expect(looks(4...4) == [.report(.puback, age: .seconds(4))])
        watch.connectionEnded()
        #expect(looks(5...60) == [])
        watch.owes(.puback, at: at(61))
        #expect(watch.answered(.suback, at: at(61)) == nil)
        #expect(watch.answered(.puback, at: at(62)) == .seconds(62))
        #expect(watch.answered(.puback, at: at(63)) == nil)
    }

    @Test("begins anew where nothing was read for a while")
    mutating func hold() {
        watch.owes(.puback, at: at(0))
        watch.held(at: at(10))
        #expect(looks(11...13) == [.probe])
        #expect(looks(14...14) == [.report(.puback, age: .seconds(4))])
    }

    @Test("never cuts where the time-out is zero")
    mutating func noTimeout() {
        watch = StallWatch(timeout: .zero)
        watch.owes(.suback, at: at(0))
        #expect(looks(4...600).count == 1)
    }
}
