extension Duration {
    /// Whole milliseconds, rounded up, for poll(2).
    package var milliseconds: Int32 {
        let (seconds, attoseconds) = components
        return Int32(clamping: seconds * 1_000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }

    /// Seconds with a fraction.
    package var inSeconds: Double { self / .seconds(1) }
}
