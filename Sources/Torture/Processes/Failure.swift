internal import Glibc

/// Why a scenario could not go on.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ text: String) {
        description = text
    }

    /// What the system said to a call.
    static func system(_ operation: String, _ number: Int32 = errno) -> Failure {
        Failure("\(operation): \(String(cString: strerror(number)))")
    }
}

/// Why a scenario was not tried.
struct Unavailable: Error {
    let reason: String
}
