internal import Glibc

/// A failure of FaultKit, described in one sentence.
package struct FaultKitError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The description.
    package let description: String

    /// Creates an error with that description.
    package init(_ description: String) {
        self.description = description
    }

    /// Returns an error with the text of an error number, by default `errno` of the preceding call.
    package static func system(_ operation: String, _ code: Int32 = errno) -> FaultKitError {
        FaultKitError("\(operation): \(String(cString: strerror(code)))")
    }
}
