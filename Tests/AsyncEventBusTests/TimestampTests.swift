import Foundation
import Testing

@testable import AsyncEventBus
import TestSupport

@Suite("Timestamp")
struct TimestampTests {
    @Test(
        "a moment reads as RFC 3339 in UTC with microseconds",
        arguments: [
            (0, "1970-01-01T00:00:00.000000Z"),
            (1, "1970-01-01T00:00:00.000000Z"),
            (999_999_999, "1970-01-01T00:00:00.999999Z"),
            (-1, "1969-12-31T23:59:59.999999Z"),
            (-1_000, "1969-12-31T23:59:59.999999Z"),
            (-1_001, "1969-12-31T23:59:59.999998Z"),
            (-86_400_000_000_000, "1969-12-31T00:00:00.000000Z"),
            (951_782_400_000_000_000, "2000-02-29T00:00:00.000000Z"),
            (951_868_799_999_999_999, "2000-02-29T23:59:59.999999Z"),
            (951_868_800_000_000_000, "2000-03-01T00:00:00.000000Z"),
            (1_709_164_800_000_000_000, "2024-02-29T00:00:00.000000Z"),
            (1_795_392_000_000_250_000, "2026-11-23T00:00:00.000250Z"),
            (4_107_542_399_000_000_000, "2100-02-28T23:59:59.000000Z"),
            (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000000Z"),
            (Int64.max, "2262-04-11T23:47:16.854775Z"),
            (Int64.min, "1677-09-21T00:12:43.145224Z"),
        ]
    )
    func description(nanoseconds: Int64, text: String) {
        #expect(Timestamp(nanoseconds: nanoseconds).description == text)
    }

    @Test("every moment reads as Foundation writes it", arguments: Seed.fresh(2))
    func property(seed: Seed) {
        var random = seed.random
        for _ in 0..<1_000 {
            let nanoseconds = Int64.random(in: .min ... .max, using: &random)
            let seconds = (Double(nanoseconds) / 1e9).rounded(.down)
            // Where the nearest Double is a second off, the comparison would be of the rounding.
            let wholeSeconds = nanoseconds >= 0 ? nanoseconds / 1_000_000_000 : (nanoseconds + 1) / 1_000_000_000 - 1
            guard Int64(seconds) == wholeSeconds else { continue }
            let expected = Date(timeIntervalSince1970: seconds).formatted(.iso8601).dropLast()
            let text = Timestamp(nanoseconds: nanoseconds).description
            let micro = (nanoseconds - wholeSeconds * 1_000_000_000) / 1_000
            guard text.hasPrefix(expected), text.hasSuffix("Z"), Int64(text.dropLast().suffix(6)) == micro else {
                Issue.record("\(nanoseconds) reads \(text), not \(expected), \(seed)")
                return
            }
        }
    }

    @Test("moments are ordered, and now is after this was written")
    func order() {
        #expect(Timestamp(nanoseconds: -1) < Timestamp(nanoseconds: 0))
        #expect(Timestamp.now > Timestamp(nanoseconds: 1_700_000_000_000_000_000))
    }
}
