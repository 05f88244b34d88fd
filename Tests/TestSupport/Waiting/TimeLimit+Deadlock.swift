public import Testing

extension TimeLimitTrait.Duration {
    /// For tests that a fault could block for ever: long enough for a slow machine that builds beside the tests.
    public static var deadlock: Self { .minutes(4) }
}
