#if canImport(Glibc)
public import Glibc
#elseif canImport(Musl)
public import Musl
#elseif canImport(Darwin)
public import Darwin
#endif

/// A value that one thread at a time may touch.
///
/// Public, though of no product: across modules the compiler specialises `withLock` only then.
///
/// Not the standard library's `Mutex`, for two reasons. ThreadSanitizer cannot see that one (it locks inside a library
/// that is not instrumented, so that every contended use is reported as a race), and on Linux it hands a contended lock
/// over through the kernel. See docs/decisions/0003-own-lock.md.
///
/// SAFETY: the value is only reached through `withLock`, which holds the mutex.
public struct Locked<Value: Sendable>: @unchecked Sendable {
    @usableFromInline
    final class Storage: ManagedBuffer<Value, pthread_mutex_t> {
        deinit {
            _ = withUnsafeMutablePointerToElements { pthread_mutex_destroy($0) }
        }
    }

    @usableFromInline let storage: ManagedBuffer<Value, pthread_mutex_t>

    /// A lock around a value.
    public init(_ value: Value) {
        storage = Storage.create(minimumCapacity: 1) { buffer in
            buffer.withUnsafeMutablePointerToElements { mutex in
                mutex.initialize(to: pthread_mutex_t())
                var attributes = pthread_mutexattr_t()
                pthread_mutexattr_init(&attributes)
                defer { pthread_mutexattr_destroy(&attributes) }
                #if canImport(Glibc)
                // Whoever finds it held spins a little first: mostly it is held for a few hundred nanoseconds, and a
                // sleep and a wake-up take ten times that.
                pthread_mutexattr_settype(&attributes, Int32(PTHREAD_MUTEX_ADAPTIVE_NP))
                #endif
                let code = pthread_mutex_init(mutex, &attributes)
                precondition(code == 0, "cannot make a mutex: \(code)")
            }
            return value
        }
    }

    /// Runs `body` while no other thread touches the value. Not to be nested: the lock is not recursive.
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
