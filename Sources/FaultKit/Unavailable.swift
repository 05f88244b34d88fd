/// Explains why something cannot be tried on this machine: a program is missing, or a right.
package struct Unavailable: Error, Sendable, CustomStringConvertible {
    /// The reason, as a part of a sentence.
    package let reason: String

    /// Keeps the reason.
    package init(reason: String) {
        self.reason = reason
    }

    /// The reason.
    package var description: String { reason }
}
