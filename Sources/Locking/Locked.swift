public import Glibc

/// A value behind a mutex.
///
/// Public, although no product exports it: only then does the compiler specialise `withLock` across modules.
///
/// Not the standard library's `Mutex`, for two reasons. That type locks inside a library without instrumentation, so
/// ThreadSanitizer reports every contended use as a race. On Linux it also hands a contended lock over through the
/// kernel. See docs/decisions/0003-own-lock.md.
///
/// SAFETY: all access to the value goes through `withLock`, which holds the mutex.
public struct Locked<Value: Sendable>: @unchecked Sendable {
    @usableFromInline
    final class Storage: ManagedBuffer<Value, pthread_mutex_t> {
        deinit {
            _ = withUnsafeMutablePointerToElements { pthread_mutex_destroy($0) }
        }
    }

    @usableFromInline let storage: ManagedBuffer<Value, pthread_mutex_t>

    /// Creates an unlocked mutex around a value.
    public init(_ value: Value) {
        storage = Storage.create(minimumCapacity: 1) { buffer in
            buffer.withUnsafeMutablePointerToElements { mutex in
                mutex.initialize(to: pthread_mutex_t())
                var attributes = pthread_mutexattr_t()
                pthread_mutexattr_init(&attributes)
                defer { pthread_mutexattr_destroy(&attributes) }
                // Spin before sleeping: a typical hold time is a few hundred nanoseconds, a tenth of a sleep and a
                // wake-up.
                pthread_mutexattr_settype(&attributes, Int32(PTHREAD_MUTEX_ADAPTIVE_NP))
                let code = pthread_mutex_init(mutex, &attributes)
                precondition(code == 0, "cannot initialise a mutex: \(code)")
            }
            return value
        }
    }

    /// Runs `body` with exclusive access to the value. The lock is not recursive: a nested call deadlocks.
    @inlinable
    public func withLock<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try storage.withUnsafeMutablePointers { value, mutex throws(Failure) -> Result in
            pthread_mutex_lock(mutex)
            defer { pthread_mutex_unlock(mutex) }
            return try body(&value.pointee)
        }
    }
}
