/// The error if a test cannot run on this machine: a program or a privilege is missing.
package struct Unavailable: Error, Sendable, CustomStringConvertible {
    /// The reason, as part of a sentence.
    package let reason: String

    /// Creates an error with that reason.
    package init(reason: String) {
        self.reason = reason
    }

    /// The reason.
    package var description: String { reason }
}
