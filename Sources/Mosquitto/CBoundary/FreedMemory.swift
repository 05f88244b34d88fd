internal import CMosquitto
internal import Glibc

/// Makes the allocator keep freed memory, so that it does not request and release the payload of each large message.
///
/// The client's thread allocates a payload, and the last listener frees it on another thread. glibc returns the top of
/// a heap to the system once 128 KiB are free there, and blocks of 128 KiB or more as soon as they are freed. The
/// system then clears pages for the next payload, which costs more than the rest of its processing (2.36,
/// malloc/arena.c, `heap_trim`; malloc/malloc.c, `sysmalloc`).
public enum FreedMemory {
    /// The free memory kept at the top of a heap, in bytes: several batches of messages. Each client has a heap.
    private static let kept: Int32 = 4 << 20
    /// The block size, in bytes, from which the system allocates each block separately.
    private static let largest: Int32 = 4 << 20

    /// The environment variables that set these limits: mallopt(3).
    private static let variables = ["GLIBC_TUNABLES", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"]

    /// Enables it for the rest of the process. After large messages the process may hold up to 4 MiB more per
    /// allocating thread; each client has several.
    ///
    /// Meant for programs, not for libraries: it affects all allocations of the process. Returns whether it is enabled:
    /// false without glibc, and if the environment sets one of these limits.
    @discardableResult
    public static func keep() -> Bool {
        variables.allSatisfy { unsafe getenv($0) == nil } && set_kept_memory(kept, largest)
    }
}
