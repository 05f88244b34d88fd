internal import Glibc

/// States in one sentence what an instrument could not do.
package struct FaultKitError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The sentence.
    package let description: String

    /// Keeps the sentence.
    package init(_ description: String) {
        self.description = description
    }

    /// Appends the text of an error number; the default is that of the call just made.
    package static func system(_ operation: String, _ code: Int32 = errno) -> FaultKitError {
        FaultKitError("\(operation): \(String(cString: strerror(code)))")
    }
}
