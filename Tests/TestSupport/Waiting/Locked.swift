import Foundation

// SAFETY of `@unchecked Sendable`: the value is only touched between lock() and unlock().

/// A value behind a lock that ThreadSanitizer understands.
///
/// `Mutex` of the Synchronization module is not it on Linux: under contention it takes the lock inside
/// libswiftSynchronization.so, which is not instrumented, and every access after that is reported as a race
/// (measured with Swift 6.3.1).
public final class Locked<Value: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var value: Value

    /// Takes the first value.
    public init(_ value: Value) {
        self.value = value
    }

    /// Calls `body` with the value while nobody else has it. Not reentrant.
    public func withLock<R>(_ body: (inout Value) throws -> R) rethrows -> R {
        lock.lock()
        defer { lock.unlock() }
        return try body(&value)
    }
}
