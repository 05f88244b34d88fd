internal import Glibc

/// The sanitizer that this program was built with.
package enum Sanitizer {
    /// Whether there is one, AddressSanitizer or ThreadSanitizer: the program is several times slower and keeps freed memory.
    package static let isOn = dlsym(nil, "__asan_init") != nil || dlsym(nil, "__tsan_init") != nil
}

extension Duration {
    /// This time limit, four times as long if the program was built with a sanitizer.
    ///
    /// ThreadSanitizer alone slows a program about five times. In addition, unoptimised code keeps asking the runtime for
    /// metadata under one lock for the whole process: with many threads, all of them stall for seconds now and then.
    package var stretched: Duration { Sanitizer.isOn ? self * 4 : self }

    /// This limit on the wait for something that must happen: four times as long if it is ten seconds or more, which is
    /// patience and no promise, or with a sanitizer. Two builds beside the tests keep a slow machine busy.
    package var patient: Duration { self >= .seconds(10) ? self * 4 : stretched }
}
