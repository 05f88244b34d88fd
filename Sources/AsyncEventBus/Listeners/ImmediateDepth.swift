import Glibc

/// How many immediate listeners call one another on a thread: each takes some kilobytes of its stack, and a thread may have
/// but a few hundred.
enum ImmediateDepth {
    private static let limit = 16

    /// Of a value for each thread: the depth there.
    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        let code = unsafe pthread_key_create(&key, nil)
        precondition(code == 0, "cannot make a value for each thread: \(code)")
        return key
    }()

    /// Runs `body` one level deeper on this thread. Returns false, and does not run it, where that is too deep.
    static func descend(_ body: () -> Void) -> Bool {
        let depth = unsafe Int(bitPattern: pthread_getspecific(key))
        guard depth < limit else { return false }
        unsafe pthread_setspecific(key, UnsafeRawPointer(bitPattern: depth + 1))
        defer { unsafe pthread_setspecific(key, UnsafeRawPointer(bitPattern: depth)) }
        body()
        return true
    }
}
