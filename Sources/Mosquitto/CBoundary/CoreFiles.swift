internal import CMosquitto
internal import Glibc

/// Core files: memory images of a crashed process. Those of a bridge hold passwords and payloads.
public enum CoreFiles {
    /// Disables core files for the rest of the process. Children inherit the limit, but not the dumpable flag.
    ///
    /// Sets both: a core-file handler such as systemd-coredump ignores the limit (core(5)).
    public static func forbid() {
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        forbid_dumps()
    }
}
