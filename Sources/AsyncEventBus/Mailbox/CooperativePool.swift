import Glibc

/// The thread pool that runs Swift's tasks.
enum CooperativePool {
    /// The number of its threads: one for each processor.
    static let threads = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
}
