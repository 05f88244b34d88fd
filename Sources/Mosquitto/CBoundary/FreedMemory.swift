internal import CMosquitto
internal import Glibc

/// Lets the allocator of this process keep what was freed, so that the payloads of large messages do not come from the
/// system, and go back to it, one by one.
///
/// A payload is allocated on the client's thread, and freed on another one by the last listener. glibc gives the end of a
/// heap back to the system as soon as 128 KiB are free there, and blocks of 128 KiB or more as soon as they are freed: the
/// system clears their pages again for the next payload, which costs more than all else that happens to it (2.36,
/// malloc/arena.c, `heap_trim`; malloc/malloc.c, `sysmalloc`).
public enum FreedMemory {
    /// What is free at the end of a heap, in bytes, and is kept: some batches of messages. Each client has a heap.
    private static let kept: Int32 = 4 << 20
    /// Blocks of that size, in bytes, come from the system one by one all the same.
    private static let largest: Int32 = 4 << 20

    /// By which a user decides that instead: mallopt(3).
    private static let variables = ["GLIBC_TUNABLES", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"]

    /// Switches it on for this process, for good. After large messages the process may hold 4 MiB more for each thread that
    /// allocates, which are some for each client.
    ///
    /// For programs rather than libraries, since it concerns all that the process allocates. Returns whether it is on:
    /// not where it was built without glibc, nor where the environment has settings for that one.
    @discardableResult
    public static func keep() -> Bool {
        variables.allSatisfy { unsafe getenv($0) == nil } && set_kept_memory(kept, largest)
    }
}
