public import Testing

extension TimeLimitTrait.Duration {
    /// A minute, `stretched`: for tests that would wait for ever if the promise did not hold.
    public static var minute: Self { .minutes(Sanitizer.isOn ? 4 : 1) }
}
