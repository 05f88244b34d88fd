import Glibc

/// A moment of the wall clock, in nanoseconds since 1970-01-01 00:00 UTC, without leap seconds.
///
/// For people and logs. It can jump when the clock is set: measure durations with a clock of the standard library.
public struct Timestamp: Sendable, Hashable, Comparable {
    /// Nanoseconds since 1970-01-01 00:00 UTC.
    public let nanoseconds: Int64

    /// Creates the moment this many nanoseconds after 1970-01-01 00:00 UTC.
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// The current time.
    public static var now: Timestamp {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    /// Whether the left moment is earlier.
    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.nanoseconds < right.nanoseconds
    }
}

extension Timestamp: CustomStringConvertible {
    /// The moment in UTC in the format of RFC 3339, with microseconds: `2026-01-31T08:15:30.000250Z`.
    public var description: String {
        let (days, second) = nanoseconds.floored(by: 86_400_000_000_000)
        let date = Self.civilDate(daysSinceEpoch: days)
        let micro = second / 1_000
        let clock = micro / 1_000_000
        return "\(date.year.padded(4))-\(date.month.padded(2))-\(date.day.padded(2))"
            + "T\((clock / 3_600).padded(2)):\((clock / 60 % 60).padded(2)):\((clock % 60).padded(2))"
            + ".\((micro % 1_000_000).padded(6))Z"
    }

    /// Returns the Gregorian date of a day, computed in eras of 400 years that begin on 1 March.
    private static func civilDate(daysSinceEpoch: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = (daysSinceEpoch + 719_468).floored(by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}

extension Int64 {
    fileprivate func floored(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }

    fileprivate func padded(_ width: Int) -> String {
        let digits = String(self)
        return String(repeating: "0", count: Swift.max(0, width - digits.count)) + digits
    }
}
