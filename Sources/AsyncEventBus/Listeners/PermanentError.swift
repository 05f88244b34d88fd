/// An error of a listener that says whether another attempt makes sense.
///
/// A listener that throws a permanent error is not called again for the event, whatever its ``RetryPolicy``.
public protocol PermanentError: Error {
    /// Whether each further attempt would fail as well.
    var isPermanent: Bool { get }
}

extension PermanentError {
    /// True.
    public var isPermanent: Bool { true }
}
