import AsyncEventBus
import Glibc
import MessageStore

/// The time line of a store: nanoseconds since 1970 that do not jump when somebody sets the clock.
///
/// Within one boot of the machine it runs with the monotonic clock (CLOCK_BOOTTIME), also from one process to the next:
/// the store remembers what the wall clock said when it was first used in this boot. After a boot it begins anew with the
/// wall clock, since nothing else tells how long the machine was off.
struct StoreClock: Sendable {
    private let offset: Int64

    init(_ store: some MessageStore) throws(StoreError) {
        let initial = Timestamp.now.nanoseconds - Self.sinceBoot
        let boot = Self.bootID
        guard !boot.isEmpty else {
            offset = initial
            return
        }
        let kept = try store.text(named: "clock of boot \(boot)", initial: String(initial))
        offset = Int64(kept) ?? initial
    }

    var now: Int64 { offset + Self.sinceBoot }

    private static var sinceBoot: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// Empty where the system does not tell.
    private static var bootID: String {
        guard let stream = fopen("/proc/sys/kernel/random/boot_id", "re") else { return "" }
        defer { fclose(stream) }
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = fread(&bytes, 1, bytes.count, stream)
        return String(decoding: bytes.prefix(count), as: UTF8.self).filter { $0.isHexDigit || $0 == "-" }
    }
}

extension Duration {
    /// In nanoseconds, cut at what 64 bits hold.
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, isTooLarge) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return isTooLarge ? (seconds < 0 ? .min / 2 : .max / 2) : product + attoseconds / 1_000_000_000
    }
}
