import Testing

@testable import Mosquitto

@Suite("SessionWatch")
struct SessionWatchTests {
    private var watch = SessionWatch(isWanted: true, isExpected: false)

    @Test("the first connection finds no session, and that is no loss, unless an earlier run has left one")
    mutating func first() {
        #expect(watch.connected(isPresent: false) == .asExpected)
        watch = SessionWatch(isWanted: true, isExpected: true)
        #expect(watch.connected(isPresent: false) == .lost)
        watch = SessionWatch(isWanted: true, isExpected: true)
        #expect(watch.connected(isPresent: true) == .asExpected)
    }

    @Test("a session that was there and is gone is told at each loss")
    mutating func losses() {
        _ = watch.connected(isPresent: false)
        for _ in 0..<3 {
            #expect(watch.connected(isPresent: true) == .asExpected)
            #expect(watch.connected(isPresent: false) == .lost)
        }
    }

    @Test("a broker that never has one is told to keep none, once")
    mutating func keepsNone() {
        let findings = (0..<6).map { _ in watch.connected(isPresent: false) }
        #expect(findings == [.asExpected, .lost, .keepsNone, .asExpected, .asExpected, .asExpected])
    }

    @Test("after each absence of the broker the loss is told, also where none was ever there")
    mutating func absences() {
        _ = watch.connected(isPresent: false)
        for _ in 0..<20 {
            watch.brokerWasAway()
            #expect(watch.connected(isPresent: false) == .lost)
        }
    }

    @Test("where no session is asked for, none is missed")
    mutating func unwanted() {
        watch = SessionWatch(isWanted: false, isExpected: true)
        for _ in 0..<3 { #expect(watch.connected(isPresent: false) == .asExpected) }
    }
}
