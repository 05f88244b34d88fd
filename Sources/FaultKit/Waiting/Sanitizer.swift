internal import Glibc

/// The sanitizer that this program was built with.
package enum Sanitizer {
    /// Whether there is one, AddressSanitizer or ThreadSanitizer: all is several times slower, and freed memory is kept.
    package static let isOn = dlsym(nil, "__asan_init") != nil || dlsym(nil, "__tsan_init") != nil
}

extension Duration {
    /// A limit that was chosen for programs without a sanitizer, long enough for this one.
    ///
    /// ThreadSanitizer alone costs a factor of five or so. Worse, code that is not optimised asks the runtime for
    /// metadata all the time, under one lock for the process that is handed from thread to thread: with many threads
    /// all of them stand still for seconds now and then.
    package var stretched: Duration { Sanitizer.isOn ? self * 4 : self }
}
