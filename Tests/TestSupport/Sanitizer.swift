import Glibc

/// What tests must know of the sanitizer that they were built with.
public enum Sanitizer {
    /// Whether there is one, AddressSanitizer or ThreadSanitizer: all is several times slower, and freed memory is kept.
    public static var isOn: Bool { dlsym(nil, "__asan_init") != nil || dlsym(nil, "__tsan_init") != nil }
}
