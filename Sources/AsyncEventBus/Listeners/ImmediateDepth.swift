import Glibc

/// The nesting depth of immediate listeners on a thread: each level takes some kilobytes of the stack, and a thread may
/// have only a few hundred.
enum ImmediateDepth {
    private static let limit = 16

    /// The key of the depth in the thread-specific values.
    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        let code = unsafe pthread_key_create(&key, nil)
        precondition(code == 0, "cannot make a value for each thread: \(code)")
        return key
    }()

    /// Runs `body` one level deeper on this thread. Returns false, without running it, at the limit.
    static func descend(_ body: () -> Void) -> Bool {
        let depth = unsafe Int(bitPattern: pthread_getspecific(key))
        guard depth < limit else { return false }
        unsafe pthread_setspecific(key, UnsafeRawPointer(bitPattern: depth + 1))
        defer { unsafe pthread_setspecific(key, UnsafeRawPointer(bitPattern: depth)) }
        body()
        return true
    }
}
