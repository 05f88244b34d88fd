import Testing

@testable import Mosquitto
import TestSupport

@Suite("Backoff")
struct BackoffTests {
    @Test("each pause is between the shortest and three times the one before", arguments: Seed.fresh(20))
    func bounds(seed: Seed) {
        var random = seed.random
        let shortest = Duration.milliseconds(Int64(1 + random.below(500)))
        let longest = shortest * (1 + random.below(100))
        var backoff = Backoff()
        var previous = shortest
        for _ in 0..<200 {
            let pause = backoff.next(shortest: shortest, longest: longest, using: &random)
            #expect(pause >= shortest, "\(seed)")
            #expect(pause <= min(longest, previous * 3), "\(seed)")
            previous = pause
        }
    }

    @Test("by bad luck pauses grow threefold up to the longest")
    func growth() {
        var backoff = Backoff()
        var highest = Extreme.highest
        let pauses = (0..<5).map { _ in
            backoff.next(shortest: .seconds(1), longest: .seconds(30), using: &highest)
        }
        #expect(pauses == [.seconds(3), .seconds(9), .seconds(27), .seconds(30), .seconds(30)])
    }

    @Test("by good luck pauses stay the shortest")
    func luck() {
        var backoff = Backoff()
        var lowest = Extreme.lowest
        for _ in 0..<5 {
            #expect(backoff.next(shortest: .seconds(1), longest: .seconds(30), using: &lowest) == .seconds(1))
        }
    }

    @Test("after a success pauses are short again")
    func reset() {
        var backoff = Backoff()
        var highest = Extreme.highest
        for _ in 0..<5 { _ = backoff.next(shortest: .seconds(1), longest: .seconds(30), using: &highest) }
        backoff.reset()
        #expect(backoff.next(shortest: .seconds(1), longest: .seconds(30), using: &highest) == .seconds(3))
    }

    @Test("a shortest pause above the longest is cut to it")
    func contradiction() {
        var backoff = Backoff()
        var highest = Extreme.highest
        #expect(backoff.next(shortest: .seconds(9), longest: .seconds(2), using: &highest) == .seconds(2))
    }
}

@Suite("Duration")
struct DurationTests {
    @Test(
        "a duration in nanoseconds is cut off below one and saturates above 63 bits",
        arguments: [
            (Duration.zero, 0), (.nanoseconds(1), 1), (.microseconds(-3), -3_000), (.seconds(2), 2_000_000_000),
            (Duration(secondsComponent: 0, attosecondsComponent: 999_999_999), 0),
            (.seconds(Int64.max), Int64.max), (.seconds(Int64.min), Int64.min),
            (.seconds(9_223_372_036) + .milliseconds(900), Int64.max),
        ] as [(Duration, Int64)]
    )
    func nanoseconds(duration: Duration, expected: Int64) {
        #expect(duration.nanoseconds == expected)
    }

    @Test(
        "a duration in seconds is rounded up and stays within the field",
        arguments: [
            (Duration.zero, 0), (.seconds(-1), 0), (.nanoseconds(1), 1), (.seconds(1), 1), (.milliseconds(1_001), 2),
            (.seconds(65_535), 65_535), (.seconds(65_536), 65_535), (.seconds(Int64.max), 65_535),
        ] as [(Duration, UInt32)]
    )
    func seconds(duration: Duration, expected: UInt32) {
        #expect(duration.seconds(upTo: 65_535) == expected)
    }

    @Test("the longest duration fits the widest field")
    func longest() {
        #expect(Duration(secondsComponent: .max, attosecondsComponent: 1).seconds(upTo: .max) == .max)
    }
}
