public import Foundation

/// Says in one sentence what the test support could not do.
public struct TestSupportError: Error, Sendable, Equatable, CustomStringConvertible, LocalizedError {
    /// The sentence.
    public let description: String

    /// Keeps the sentence.
    public init(_ description: String) {
        self.description = description
    }

    /// The same sentence, for Foundation.
    public var errorDescription: String? { description }

    /// Appends the text of the current `errno`, which the caller read before any other call.
    static func system(_ operation: String, _ code: Int32) -> TestSupportError {
        TestSupportError("\(operation): \(String(cString: strerror(code)))")
    }
}
