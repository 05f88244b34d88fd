import AsyncEventBus
import Glibc
public import MessageStore

/// The clock of a store: nanoseconds since 1970, unaffected by changes of the wall clock.
///
/// Within one boot of the machine it follows the monotonic clock (CLOCK_BOOTTIME), across processes: the store
/// remembers the offset to the wall clock of its first use in this boot. After a boot it starts from the wall clock
/// again, since nothing else measures how long the machine was off.
public struct StoreClock: Sendable {
    private let offset: Int64

    /// Reads the clock's offset, or stores it if this is the first use of the store in this boot.
    ///
    /// - Throws: `StoreError` if the store cannot be read or written.
    public init(_ store: some MessageStore) throws(StoreError) {
        let initial = Timestamp.now.nanoseconds - Self.sinceBoot
        let boot = Self.bootID
        guard !boot.isEmpty else {
            offset = initial
            return
        }
        let kept = try store.text(named: "clock of boot \(boot)", initial: String(initial))
        offset = Int64(kept) ?? initial
    }

    /// The current time, in nanoseconds since 1970.
    public var now: Int64 { offset + Self.sinceBoot }

    private static var sinceBoot: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// Empty if the system does not provide it.
    private static var bootID: String {
        guard let stream = fopen("/proc/sys/kernel/random/boot_id", "re") else { return "" }
        defer { fclose(stream) }
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = fread(&bytes, 1, bytes.count, stream)
        return String(decoding: bytes.prefix(count), as: UTF8.self).filter { $0.isHexDigit || $0 == "-" }
    }
}

extension Duration {
    /// The duration in nanoseconds; half of the 64-bit range if it is larger than that range.
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, isTooLarge) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return isTooLarge ? (seconds < 0 ? .min / 2 : .max / 2) : product + attoseconds / 1_000_000_000
    }
}
